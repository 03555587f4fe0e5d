/** Reads templates of every dialect into one model. */
import { OptionError } from '../../core/options/validate.ts'
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
import {
  type ReadTemplateOptions,
  readSource,
  readTemplateOptions,
  type TemplateSource,
} from './read-options.ts'
import { addIndirectDependencies, type Resource } from './resolve/value.ts'
import { readSuppressions } from './suppression/read.ts'
import { isTerraformFile } from './terraform/modules.ts'
import { parsePlan, readPlan } from './terraform/plan.ts'
import { readTerraform } from './terraform/read.ts'

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
    return toModel([...all.keys()], resources, await readSuppressions([...all.values()]))
  }
  const [only] = read
  if (only === undefined || read.length > 1) {
    throw new OptionError(
      'sources',
      `expected one CloudFormation template, or the .tf, .tofu and JSON files of one module, got ${read.length} files. Pass one template or one module.`,
    )
  }
  const plan = parsePlan(only.text)
  if (plan !== undefined) return toModel([only.file], readPlan(only.file, only.text, plan), [])
  const resources = await readCloudFormation(only.file, only.text, parameters, loadInclude)
  return toModel([...all.keys()], resources, await readSuppressions([...all.values()]))
}

function toModel(
  files: readonly string[],
  read: ReadResources,
  suppressions: InfraModel['suppressions'],
): InfraModel {
  const { dialect, dangling, problems = [], complete, outputs, globals } = read
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
    problems,
    complete,
    unread: read.unread ?? [],
  }
}
