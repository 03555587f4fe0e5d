/** Options of `readTemplate`, and their validation. */
import { describeValue, OptionError, readMembers } from '../../core/options/validate.ts'
import type { LoadInclude } from './cloudformation/include.ts'
import type { LoadModule } from './terraform/modules.ts'
import type { VariableInput, VariableValue } from './terraform/variables.ts'

/** The name and the text of one file. */
export interface TemplateSource {
  /**
   * The file name, for positions. It selects the dialect: `.tf`, `.tf.json`, `.tofu` and `.tofu.json` are Terraform,
   * other names are CloudFormation or SAM. The file is not opened.
   */
  readonly file: string
  /** The content of the file. A byte order mark is ignored. */
  readonly text: string
}

/** Options of {@link readTemplate}. */
export interface ReadTemplateOptions {
  /**
   * Values of CloudFormation parameters, pseudo parameters such as `AWS::Region`, or Terraform variables, by name.
   * For a Terraform variable of a list or map type, the value is an HCL expression.
   *
   * @defaultValue The defaults that the template declares
   */
  readonly parameters?: Readonly<Record<string, string>>
  /**
   * Terraform only: `.tfvars` and `.tfvars.json` files, and values of single variables. Later ones override earlier
   * ones, as on the command line of Terraform. `parameters` override all of them.
   *
   * @defaultValue `[]`
   */
  readonly variables?: readonly (TemplateSource | VariableValue)[]
  /**
   * Terraform only: returns the files of a local module, which a call names in `source`. The folder is relative to the
   * same folder as the names of the sources. Called once for each folder.
   *
   * @defaultValue Local modules are not read, and the values of their outputs are unknown
   */
  readonly loadModule?: (
    folder: string,
  ) => readonly TemplateSource[] | undefined | Promise<readonly TemplateSource[] | undefined>
  /**
   * CloudFormation only: returns the local file that the transform `AWS::Include` names. The path is relative to the
   * same folder as the names of the sources, or absolute. Do not open files outside of the project: the template
   * chooses the path. Never called for files in S3.
   *
   * @defaultValue Included files are not read, and the template may contain any resource
   */
  readonly loadInclude?: (
    file: string,
  ) => TemplateSource | undefined | Promise<TemplateSource | undefined>
}

interface ReadOptions {
  readonly parameters: ReadonlyMap<string, string>
  readonly variables: readonly VariableInput[]
  readonly loadModule: LoadModule | undefined
  readonly loadInclude: LoadInclude | undefined
}

/**
 * @param onSource Called with each variable file, and with each file that the functions return.
 * @throws {OptionError} `ERR_OPTION_INVALID` with the path of the invalid member.
 */
export function readTemplateOptions(
  options: unknown,
  onSource: (source: TemplateSource) => void,
): ReadOptions {
  const read = (source: unknown, optionPath: string): TemplateSource => {
    const result = readSource(source, optionPath)
    onSource(result)
    return result
  }
  const allowed = ['parameters', 'variables', 'loadModule', 'loadInclude']
  const members = readMembers(options, allowed, '')
  const { parameters = {}, variables = [], loadModule, loadInclude } = members
  return {
    parameters: readParameters(parameters),
    variables: readVariables(variables, read),
    loadModule: readLoader(loadModule, 'loadModule', (sources) => {
      if (Array.isArray(sources)) return sources.map((one) => read(one, 'loadModule()'))
      throw new OptionError(
        'loadModule()',
        `expected an array of files or undefined, got ${describeValue(sources)}. Return the files.`,
      )
    }),
    loadInclude: readLoader(loadInclude, 'loadInclude', (source) => read(source, 'loadInclude()')),
  }
}

/** @throws {OptionError} `ERR_OPTION_INVALID` with the path of the invalid member. */
export function readSource(source: unknown, optionPath: string): TemplateSource {
  const { file, text } = readMembers(source, ['file', 'text'], optionPath)
  if (typeof file !== 'string' || file === '') {
    throw new OptionError(
      `${optionPath}.file`,
      `expected a file name, got ${describeValue(file)}. Name the file.`,
    )
  }
  return {
    file,
    text: readString(text, `${optionPath}.text`, 'the text of the file').replace(/^\uFEFF/, ''),
  }
}

function readString(value: unknown, optionPath: string, expected: string): string {
  if (typeof value === 'string') return value
  throw new OptionError(
    optionPath,
    `expected ${expected}, got ${describeValue(value)}. Pass a string.`,
  )
}

function readParameters(parameters: unknown): ReadonlyMap<string, string> {
  if (typeof parameters !== 'object' || parameters === null || Array.isArray(parameters)) {
    throw new OptionError(
      'parameters',
      `expected an object of names and strings, got ${describeValue(parameters)}. Pass an object.`,
    )
  }
  return new Map(
    Object.entries(parameters).map(([name, value]: [string, unknown]) => {
      if (typeof value === 'string') return [name, value]
      throw new OptionError(
        `parameters.${name}`,
        `expected a string, got ${describeValue(value)}. Pass the value as a string.`,
      )
    }),
  )
}

function readVariables(variables: unknown, readFile: typeof readSource): readonly VariableInput[] {
  if (!Array.isArray(variables)) {
    throw new OptionError(
      'variables',
      `expected an array of files and values, got ${describeValue(variables)}. Pass an array.`,
    )
  }
  return variables.map((variable: unknown, index) => {
    const optionPath = `variables[${index}]`
    if (typeof variable === 'object' && variable !== null && 'file' in variable)
      return readFile(variable, optionPath)
    const { name, value } = readMembers(variable, ['name', 'value'], optionPath)
    return {
      name: readString(name, `${optionPath}.name`, 'the name of a variable'),
      value: readString(value, `${optionPath}.value`, 'the value of a variable'),
    }
  })
}

/** Wraps a function of the caller. Its result is validated, as `sources` are. */
function readLoader<T>(
  loader: unknown,
  option: string,
  readResult: (result: unknown) => T,
): ((path: string) => Promise<T | undefined>) | undefined {
  if (loader === undefined) return undefined
  if (typeof loader !== 'function')
    throw new OptionError(
      option,
      `expected a function, got ${describeValue(loader)}. Pass a function that returns files.`,
    )
  return async (path) => {
    const result: unknown = await loader(path)
    return result === undefined ? undefined : readResult(result)
  }
}
