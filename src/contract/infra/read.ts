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
import { readTerraform } from './terraform/read.ts'

/** The text of one file. Its name tells the dialect: `.tf` and `.tf.json` are Terraform, all else CloudFormation. */
export interface TemplateSource {
  /** Repeated in positions, never opened. */
  readonly file: string
  readonly text: string
}

export interface ReadTemplateOptions {
  /**
   * Values of CloudFormation's parameters (`AWS::Region` and the like too) and Terraform's variables, by
   * name, where the deployment gives them; for a variable of a list or a map, as HCL. Default: the
   * template's own defaults.
   */
  readonly parameters?: Readonly<Record<string, string>>
}

/**
 * Reads a template into a model of its scopes, every fact with its file, line and column. Nothing in it
 * is executed, no file is opened, and parsers are loaded when a template is read: `yaml` for
 * CloudFormation and SAM (YAML and JSON), the optional peers `web-tree-sitter` and
 * `@tree-sitter-grammars/tree-sitter-hcl` for Terraform.
 *
 * What the template alone tells is resolved (references, `!Sub`, `!Join`, mappings, parameters and
 * variables with defaults, locals, `format()`); what only a deployment knows is marked unknown.
 *
 * @param sources One CloudFormation template, or every `.tf` and `.tf.json` file of one Terraform module. At most
 *   1,048,576 characters a file, 524,288 of HCL.
 * @throws {TemplateError} `ERR_TEMPLATE_INVALID` with file, line and column where it is not well-formed,
 *   too large, or refers to itself in a circle.
 * @throws {OptionError} `ERR_OPTION_INVALID` where the sources are of two dialects, or the parser that
 *   reads them is not installed.
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
    return toModel(files, await readTerraform(read, parameters))
  }
  const [only] = read
  if (only === undefined || read.length > 1) {
    throw new OptionError(
      'sources',
      `expected one CloudFormation template, or the .tf and .tf.json files of one module, got ${read.length} files. Pass one template or one module.`,
    )
  }
  return toModel(files, await readCloudFormation(only.file, only.text, parameters))
}

/** @throws {OptionError} naming `place` and the member that is wrong. */
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

function toModel(files: readonly string[], read: ReadResources): InfraModel {
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
    complete,
  }
}
