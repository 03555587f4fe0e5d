/** Reads templates of every dialect into one model. */
import { describeValue, OptionError, readMembers } from '../../core/options/validate.ts'
import { type LoadInclude, readCloudFormation } from './cloudformation/read.ts'
import { readSamApis } from './cloudformation/sam.ts'
import {
  toAuthorizer,
  toClient,
  toDomain,
  toParameter,
  toResourceServer,
  toRoute,
  toUserPool,
} from './model/facts.ts'
import type { InfraModel, ReadResources, UndeclaredValue } from './model/model.ts'
import { hasOpenApiBody, readOpenApiBody } from './model/openapi-body.ts'
import type { Resource } from './resolve/value.ts'
import { readSuppressions } from './suppression/read.ts'
import { isTerraformFile, type LoadModule } from './terraform/modules.ts'
import { parsePlan, readPlan } from './terraform/plan.ts'
import { readTerraform } from './terraform/read.ts'
import type { VariableInput } from './terraform/variables.ts'

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

/** The value of one Terraform variable. It is declared here, as declarations of the parser need its optional packages. */
export interface VariableValue {
  readonly name: string
  /** Text, or an HCL expression for a list or map. */
  readonly value: string
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
function readTemplateOptions(
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

/**
 * Reads a template into a model of its scopes. Each fact has its file, line and column. The function executes
 * nothing. It opens no file: `loadModule` and `loadInclude` read the files that a template names.
 *
 * It resolves what the template determines: references, `!Sub`, `!Join`, mappings, parameters and variables with
 * values, locals, and `format()`. A value that only the deployment determines is unknown in the model.
 *
 * The parser is loaded on the first call. CloudFormation and SAM use `yaml`. Terraform uses the optional peer
 * dependencies `web-tree-sitter` and `@tree-sitter-grammars/tree-sitter-hcl`.
 *
 * @example
 * ```ts
 * const model = await readTemplate({ file, text: await readFile(file, 'utf8') })
 * const findings = checkScopes(model)
 * ```
 *
 * @param sources One CloudFormation or SAM template, or every `.tf`, `.tf.json`, `.tofu` and `.tofu.json` file of one
 *   Terraform module. Each file has at most 1,048,576 characters, an HCL file at most 524,288.
 * @param options Values of parameters and variables, and how to read other files.
 * @returns The model of the template.
 * @throws {TemplateError} `ERR_TEMPLATE_INVALID` with file, line and column if a template is not well-formed, exceeds
 *   a limit, or has a cycle of references.
 * @throws {OptionError} `ERR_OPTION_INVALID` if the sources mix two dialects, or the parser is not installed.
 */
export async function readTemplate(
  sources: TemplateSource | readonly TemplateSource[],
  options: ReadTemplateOptions = {},
): Promise<InfraModel> {
  return (await readTemplateInputs(sources, options)).model
}

/** A model, and what its template expects as input. */
export interface TemplateInputs {
  readonly model: InfraModel
  /** The names of its parameters or variables. A plan has none. */
  readonly declared: readonly string[]
  /** Values in variable files for variables that the module does not declare. */
  readonly undeclared: readonly UndeclaredValue[]
}

/** Reads a template as {@link readTemplate} does. */
export async function readTemplateInputs(
  sources: TemplateSource | readonly TemplateSource[],
  options: ReadTemplateOptions,
): Promise<TemplateInputs> {
  const read = (Array.isArray(sources) ? [...sources] : [sources]).map((source) =>
    readSource(source, 'sources'),
  )
  /** All files: those of local modules and variables, and included ones too. */
  const all = new Map(read.map((source) => [source.file, source]))
  const { parameters, variables, loadModule, loadInclude } = readTemplateOptions(
    options,
    (source) => all.set(source.file, source),
  )
  const terraform = read.filter(({ file }) => isTerraformFile(file))
  if (terraform.length > 0 && terraform.length === read.length) {
    const values = [...parameters].map(([name, value]) => ({ name, value }))
    const input = { sources: read, variables: [...variables, ...values], loadModule }
    const resources = await readTerraform(input)
    return toInputs([...all.keys()], resources, await readSuppressions([...all.values()]))
  }
  const [only] = read
  if (only === undefined || read.length > 1) {
    throw new OptionError(
      'sources',
      `expected one CloudFormation template, or the .tf, .tofu and JSON files of one module, got ${read.length} files. Pass one template or one module.`,
    )
  }
  const plan = parsePlan(only.text)
  if (plan !== undefined) return toInputs([only.file], readPlan(only.file, only.text, plan), [])
  const resources = await readCloudFormation(only.file, only.text, parameters, loadInclude)
  return toInputs([...all.keys()], resources, await readSuppressions([...all.values()]))
}

function toInputs(
  files: readonly string[],
  read: ReadResources,
  suppressions: InfraModel['suppressions'],
): TemplateInputs {
  const { declared = [], undeclared = [] } = read
  return { model: toModel(files, read, suppressions), declared, undeclared }
}

function toModel(
  files: readonly string[],
  read: ReadResources,
  suppressions: InfraModel['suppressions'],
): InfraModel {
  const { dialect, resources, dangling, problems = [], complete, outputs, globals } = read
  const byId = new Map(resources.map((resource) => [resource.id, resource]))
  const all = <T>(types: readonly string[], convert: (resource: Resource) => T) =>
    resources.filter(({ type }) => types.includes(type)).map(convert)
  const sam = readSamApis(resources, globals)
  const authorizers = all(
    ['AWS::ApiGateway::Authorizer', 'AWS::ApiGatewayV2::Authorizer'],
    toAuthorizer,
  ).filter((authorizer) => authorizer !== undefined)
  const routes = all(['AWS::ApiGateway::Method', 'AWS::ApiGatewayV2::Route'], (resource) =>
    toRoute(resource, byId),
  ).filter((route) => route !== undefined)
  const described = resources
    .filter(
      (resource) => !resource.type.startsWith('AWS::Serverless::') && hasOpenApiBody(resource),
    )
    .map((resource) => readOpenApiBody(resource, new Map(), () => undefined))
  return {
    dialect,
    files,
    userPools: all(['AWS::Cognito::UserPool'], toUserPool),
    domains: all(['AWS::Cognito::UserPoolDomain'], toDomain),
    resourceServers: all(['AWS::Cognito::UserPoolResourceServer'], toResourceServer),
    clients: all(['AWS::Cognito::UserPoolClient'], toClient),
    parameters: all(['AWS::SSM::Parameter'], toParameter),
    outputs,
    authorizers: [
      ...authorizers,
      ...described.flatMap((one) => one.authorizers),
      ...sam.authorizers,
    ],
    routes: [...routes, ...described.flatMap((one) => one.routes), ...sam.routes],
    dangling,
    suppressions,
    problems,
    complete,
    unread: read.unread ?? [],
  }
}
