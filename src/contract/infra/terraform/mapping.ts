/** Maps resource types and arguments of Terraform to those of CloudFormation. */

export interface TerraformType {
  readonly type: string
  /** Maps an argument or block of Terraform to a property of CloudFormation. */
  readonly names: Readonly<Record<string, string>>
}

const API = { rest_api_id: 'RestApiId' }
const API_V2 = { api_id: 'ApiId' }

export const TERRAFORM_TYPES: ReadonlyMap<string, TerraformType> = new Map(
  Object.entries({
    aws_cognito_user_pool: {
      type: 'AWS::Cognito::UserPool',
      names: {
        name: 'UserPoolName',
        user_pool_tier: 'UserPoolTier',
        lambda_config: 'LambdaConfig',
        pre_token_generation: 'PreTokenGeneration',
        pre_token_generation_config: 'PreTokenGenerationConfig',
        lambda_version: 'LambdaVersion',
      },
    },
    aws_cognito_user_pool_domain: {
      type: 'AWS::Cognito::UserPoolDomain',
      names: {
        user_pool_id: 'UserPoolId',
        domain: 'Domain',
        certificate_arn: 'CustomDomainConfig',
      },
    },
    aws_cognito_resource_server: {
      type: 'AWS::Cognito::UserPoolResourceServer',
      names: {
        user_pool_id: 'UserPoolId',
        identifier: 'Identifier',
        name: 'Name',
        scope: 'Scopes',
        scope_name: 'ScopeName',
        scope_description: 'ScopeDescription',
      },
    },
    aws_cognito_user_pool_client: {
      type: 'AWS::Cognito::UserPoolClient',
      names: {
        user_pool_id: 'UserPoolId',
        name: 'ClientName',
        generate_secret: 'GenerateSecret',
        allowed_oauth_flows_user_pool_client: 'AllowedOAuthFlowsUserPoolClient',
        allowed_oauth_flows: 'AllowedOAuthFlows',
        allowed_oauth_scopes: 'AllowedOAuthScopes',
        explicit_auth_flows: 'ExplicitAuthFlows',
        access_token_validity: 'AccessTokenValidity',
        token_validity_units: 'TokenValidityUnits',
        access_token: 'AccessToken',
        enable_token_revocation: 'EnableTokenRevocation',
      },
    },
    aws_ssm_parameter: { type: 'AWS::SSM::Parameter', names: { name: 'Name', value: 'Value' } },
    aws_api_gateway_rest_api: { type: 'AWS::ApiGateway::RestApi', names: { body: 'Body' } },
    aws_apigatewayv2_api: { type: 'AWS::ApiGatewayV2::Api', names: { body: 'Body' } },
    aws_api_gateway_authorizer: {
      type: 'AWS::ApiGateway::Authorizer',
      names: {
        ...API,
        name: 'Name',
        type: 'Type',
        provider_arns: 'ProviderARNs',
        authorizer_result_ttl_in_seconds: 'AuthorizerResultTtlInSeconds',
      },
    },
    aws_api_gateway_resource: {
      type: 'AWS::ApiGateway::Resource',
      names: { ...API, parent_id: 'ParentId', path_part: 'PathPart' },
    },
    aws_api_gateway_method: {
      type: 'AWS::ApiGateway::Method',
      names: {
        ...API,
        resource_id: 'ResourceId',
        http_method: 'HttpMethod',
        authorization: 'AuthorizationType',
        authorizer_id: 'AuthorizerId',
        authorization_scopes: 'AuthorizationScopes',
      },
    },
    aws_apigatewayv2_authorizer: {
      type: 'AWS::ApiGatewayV2::Authorizer',
      names: {
        ...API_V2,
        name: 'Name',
        authorizer_type: 'AuthorizerType',
        issuer: 'Issuer',
        audience: 'Audience',
        jwt_configuration: 'JwtConfiguration',
      },
    },
    aws_apigatewayv2_route: {
      type: 'AWS::ApiGatewayV2::Route',
      names: {
        ...API_V2,
        route_key: 'RouteKey',
        authorization_type: 'AuthorizationType',
        authorizer_id: 'AuthorizerId',
        authorization_scopes: 'AuthorizationScopes',
      },
    },
  }),
)

/** Blocks that are one map in CloudFormation, not a list. */
export const SINGLE_BLOCKS: ReadonlySet<string> = new Set([
  'token_validity_units',
  'jwt_configuration',
  'lambda_config',
  'pre_token_generation_config',
])

/** The number of labels of blocks inside of resources. The JSON syntax does not distinguish them from arguments. */
export const NESTED_BLOCKS: ReadonlyMap<string, number> = new Map([
  ['scope', 0],
  ['token_validity_units', 0],
  ['jwt_configuration', 0],
  ['lambda_config', 0],
  ['pre_token_generation_config', 0],
  ['dynamic', 1],
  ['content', 0],
])
