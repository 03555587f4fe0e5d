/** Resources of templates with authorizers, for tests of their findings. */
import { listFindings } from './templates.ts'

const scopes = (...names: string[]) =>
  names.map((name) => `{ ScopeName: ${name}, ScopeDescription: x }`).join(', ')
export const HEAD = `  Pool: { Type: AWS::Cognito::UserPool }
  Domain: { Type: AWS::Cognito::UserPoolDomain, Properties: { UserPoolId: !Ref Pool, Domain: orders } }
  Server: { Type: AWS::Cognito::UserPoolResourceServer, Properties: { UserPoolId: !Ref Pool, Identifier: orders, Name: x, Scopes: [${scopes('read', 'write')}] } }
  Api: { Type: AWS::ApiGatewayV2::Api, Properties: { Name: x, ProtocolType: HTTP } }
  RestApi: { Type: AWS::ApiGateway::RestApi }`
export const client = (id: string, names: string, flow = 'client_credentials') =>
  `  ${id}: { Type: AWS::Cognito::UserPoolClient, Properties: { UserPoolId: !Ref Pool, GenerateSecret: true, AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthFlows: [${flow}], AllowedOAuthScopes: [${names}] } }`
export const READ = `!Sub '\${Server}/read'`
export const WRITE = `!Sub '\${Server}/write'`
export const MACHINE = client('Machine', `${READ}, ${WRITE}`)
export const rest = (arns: string, id = 'Guard') =>
  `  ${id}: { Type: AWS::ApiGateway::Authorizer, Properties: { RestApiId: !Ref RestApi, Name: x, Type: COGNITO_USER_POOLS${arns === '' ? '' : `, ProviderARNs: ${arns}`} } }`
export const jwt = (issuer: string, audience = '[!Ref Machine]', id = 'Tokens') =>
  `  ${id}: { Type: AWS::ApiGatewayV2::Authorizer, Properties: { ApiId: !Ref Api, Name: x, AuthorizerType: JWT, JwtConfiguration: { Issuer: ${issuer}${audience === '' ? '' : `, Audience: ${audience}`} } } }`
export const ISSUER = '!GetAtt Pool.ProviderURL'
export const route = (names: string, authorizer = 'Tokens', key = 'GET /orders') =>
  `  ${key.replace(/\W/g, '')}: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Api, RouteKey: ${key}, AuthorizationType: JWT, AuthorizerId: !Ref ${authorizer}, AuthorizationScopes: [${names}] } }`

export const check = (...resources: string[]) =>
  listFindings({ 'a.yaml': `Resources:\n${[HEAD, ...resources].join('\n')}\n` })
