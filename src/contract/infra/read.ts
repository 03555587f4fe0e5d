/** Reads templates of every dialect into one model. */
import { describeValue, OptionError, readMembers } from '../../core/options/validate.ts'
import { readCloudFormation } from './cloudformation/read.ts'
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
import type { InfraModel, ReadResources } from './model/model.ts'
import { hasOpenApiBody, readOpenApiBody } from './model/openapi-body.ts'
import { addIndirectDependencies, type Resource } from './resolve/value.ts'
import { readSuppressions } from './suppression/read.ts'
import { readTerraform } from './terraform/read.ts'

/** The name and the text of one file. */
export interface TemplateSource {
  /**
   * The file name, for positions. It selects the dialect: `.tf` and `.tf.json` are Terraform, other names are
   * CloudFormation or SAM. The file is not opened.
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
}

/**
 * Reads a template into a model of its scopes. Each fact has its file, line and column. The function executes
 * nothing and opens no file.
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
 * @param sources One CloudFormation or SAM template, or every `.tf` and `.tf.json` file of one Terraform module.
 *   Each file has at most 1,048,576 characters, an HCL file at most 524,288.
 * @param options Values of parameters and variables.
 * @returns The model of the template.
 * @throws {TemplateError} `ERR_TEMPLATE_INVALID` with file, line and column if a template is not well-formed, exceeds
 *   a limit, or has a cycle of references.
 * @throws {OptionError} `ERR_OPTION_INVALID` if the sources mix two dialects, or the parser is not installed.
 */
export async function readTemplate(
  sources: TemplateSource | readonly TemplateSource[],
  options: ReadTemplateOptions = {},
): Promise<InfraModel> {
  const read = (Array.isArray(sources) ? [...sources] : [sources]).map((source) =>
    readSource(source, 'sources'),
  )
  const parameters = readParameters(options)
  const files = read.map(({ file }) => file)
  const terraform = read.filter(({ file }) => /\.tf(?:\.json)?$/i.test(file))
  if (terraform.length > 0 && terraform.length === read.length) {
    return toModel(files, await readTerraform(read, parameters), await readSuppressions(read))
  }
  const [only] = read
  if (only === undefined || read.length > 1) {
    throw new OptionError(
      'sources',
      `expected one CloudFormation template, or the .tf and .tf.json files of one module, got ${read.length} files. Pass one template or one module.`,
    )
  }
  const resources = await readCloudFormation(only.file, only.text, parameters)
  return toModel(files, resources, await readSuppressions(read))
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
  if (typeof text !== 'string') {
    throw new OptionError(
      `${optionPath}.text`,
      `expected the text of the file, got ${describeValue(text)}. Pass a string.`,
    )
  }
  return { file, text: text.replace(/^\uFEFF/, '') }
}

function readParameters(options: unknown): ReadonlyMap<string, string> {
  const { parameters = {} } = readMembers(options, ['parameters'], '')
  if (typeof parameters !== 'object' || parameters === null || Array.isArray(parameters)) {
    throw new OptionError(
      'parameters',
      `expected an object of names and strings, got ${describeValue(parameters)}. Pass an object.`,
    )
  }
  const entries = Object.entries(parameters)
  for (const [name, value] of entries) {
    if (typeof value === 'string') continue
    throw new OptionError(
      `parameters.${name}`,
      `expected a string, got ${describeValue(value)}. Pass the value as a string.`,
    )
  }
  return new Map(entries as [string, string][])
}

function toModel(
  files: readonly string[],
  read: ReadResources,
  suppressions: InfraModel['suppressions'],
): InfraModel {
  const { dialect, dangling, complete, outputs, globals } = read
  const resources = addIndirectDependencies(read.resources)
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
    complete,
  }
}
