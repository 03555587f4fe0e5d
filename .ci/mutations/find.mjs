/** Finds the resources, properties and scopes of a unit in which a mistake can be planted. */
import { listItems, listProperties, listResources } from './text.mjs'

const TYPES = {
  pool: ['AWS::Cognito::UserPool', 'aws_cognito_user_pool'],
  server: ['AWS::Cognito::UserPoolResourceServer', 'aws_cognito_resource_server'],
  client: ['AWS::Cognito::UserPoolClient', 'aws_cognito_user_pool_client'],
  restMethod: ['AWS::ApiGateway::Method', 'aws_api_gateway_method'],
  httpRoute: ['AWS::ApiGatewayV2::Route', 'aws_apigatewayv2_route'],
  restAuthorizer: ['AWS::ApiGateway::Authorizer', 'aws_api_gateway_authorizer'],
  jwtAuthorizer: [
    'AWS::ApiGatewayV2::Authorizer',
    'aws_apigatewayv2_authorizer',
    'AWS::Serverless::HttpApi',
  ],
  domain: ['AWS::Cognito::UserPoolDomain', 'aws_cognito_user_pool_domain'],
  samFunction: ['AWS::Serverless::Function'],
  api: [
    'AWS::Serverless::Api',
    'AWS::Serverless::HttpApi',
    'AWS::ApiGateway::RestApi',
    'AWS::ApiGatewayV2::Api',
    'aws_api_gateway_rest_api',
    'aws_apigatewayv2_api',
  ],
}

export const PROPERTIES = {
  scopes: ['AllowedOAuthScopes', 'allowed_oauth_scopes'],
  flows: ['AllowedOAuthFlows', 'allowed_oauth_flows'],
  oauth: ['AllowedOAuthFlowsUserPoolClient', 'allowed_oauth_flows_user_pool_client'],
  secret: ['GenerateSecret', 'generate_secret'],
  userPool: ['UserPoolId', 'user_pool_id'],
  validity: ['AccessTokenValidity', 'access_token_validity'],
  identifier: ['Identifier', 'identifier'],
  scopeName: ['ScopeName', 'scope_name'],
  description: ['ScopeDescription', 'scope_description'],
  accepted: ['AuthorizationScopes', 'authorization_scopes'],
  ttl: ['AuthorizerResultTtlInSeconds', 'authorizer_result_ttl_in_seconds'],
  arns: ['ProviderARNs', 'provider_arns'],
  dependsOn: ['DependsOn', 'depends_on'],
  authorizer: ['AuthorizerId', 'authorizer_id'],
  issuer: ['Issuer', 'issuer'],
  audience: ['Audience', 'audience'],
  triggerVersion: ['LambdaVersion', 'lambda_version'],
  domain: ['Domain', 'domain'],
  authorization: ['AuthorizationType', 'authorization', 'authorization_type'],
}

/** The codes of a scope that no resource server defines. */
export const MISSING = ['grant-undefined', 'scope-undefined']

/** Lists the resources of these kinds, with functions that find their properties. */
export function* find(unit, ...kinds) {
  const types = kinds.flatMap((kind) => TYPES[kind])
  for (const [file, text] of unit.templates) {
    for (const block of listResources(file, text)) {
      if (!types.includes(block.type)) continue
      const all = (property) =>
        PROPERTIES[property].flatMap((name) => listProperties(file, text, block, name))
      const value = ({ valueStart, end }) => text.slice(valueStart, end)
      yield { file, text, block, all, value, first: (property) => all(property)[0] }
    }
  }
}

export const unquote = (text) => text.trim().replace(/^(['"])(.*)\1$/, '$2')

/** Lists the names of scopes that the templates define literally, and those that the unit adds. */
export function listScopeNames(unit) {
  const names = [...find(unit, 'server')].flatMap(({ all, value }) =>
    all('scopeName').map((property) => unquote(value(property))),
  )
  return new Set([...names.filter((name) => /^[\w.:-]+$/.test(name)), ...(unit.scopes ?? [])])
}

/** Finds the last name of a scope in a text, as a whole word. */
export function findScopeName(text, names) {
  const found = [...text.matchAll(/[\w.:-]+/g)].filter(([word]) => names.has(word))
  return found.at(-1)
}

/** Swaps two letters. */
function misspell(name, names) {
  for (let index = 1; index + 1 < name.length; index++) {
    const changed = name.slice(0, index) + name[index + 1] + name[index] + name.slice(index + 2)
    if (changed !== name && !names.has(changed)) return changed
  }
  return `${name}s`
}

/** Misspells the last scope of a range of text. */
export function misspellIn(text, { start, end }, names) {
  const found = findScopeName(text.slice(start, end), names)
  if (found === undefined) return []
  const from = start + found.index
  return [{ start: from, end: from + found[0].length, text: misspell(found[0], names) }]
}

/** Lists scopes in lists of these properties, with the edit that misspells each. */
export function* misspelledItems(unit, property, ...kinds) {
  const names = listScopeNames(unit)
  for (const { file, text, all } of find(unit, ...kinds)) {
    for (const list of all(property)) {
      for (const item of listItems(file, text, list)) {
        const edits = misspellIn(text, item, names)
        if (edits.length > 0) yield { file, edits, expected: MISSING }
      }
    }
  }
}

export function* machineClients(unit) {
  for (const client of find(unit, 'client')) {
    if (client.all('flows').some((flows) => client.value(flows).includes('client_credentials')))
      yield client
  }
}

/** Inserts a property before another one. */
export function insertBefore(text, { start, style }, property) {
  const column = start - text.lastIndexOf('\n', start) - 1
  const separator = style === 'flow' ? ', ' : `\n${' '.repeat(column)}`
  return { start, end: start, text: `${property}${separator}` }
}
