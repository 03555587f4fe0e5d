/** Renders the token proxy as a function: a SAM template with an HTTP API, a table and a role, and the function's code. */
import type { TemplateSource } from '../read.ts'
import { writeTemplate } from './cloudformation.ts'
import {
  createCall,
  createGetAtt,
  createRef,
  withComment,
  type Yaml,
  type YamlMap,
} from './yaml.ts'

/** Cognito's default quota is 150 token requests a second: ten instances send at most 140. */
const MAX_INSTANCES = 10
const REQUESTS_PER_INSTANCE = 14
const LOG_DAYS = 30
/** Characters of the secret that the encryption key derives from. */
const SECRET_LENGTH = 64
/** Seconds. A caller waits at most 5 s for a token, and a cold start takes time too. */
const FUNCTION_TIMEOUT = 15
const MEMORY_MB = 512

const PARAMETERS: YamlMap = {
  TokenEndpoint: {
    Type: 'String',
    Description: 'The token endpoint of Cognito, https://<domain>/oauth2/token',
    AllowedPattern: '^https://.+/oauth2/token$',
  },
  ClientIds: {
    Type: 'CommaDelimitedList',
    Description: 'The app clients that may request tokens, separated by commas',
  },
}

const allow = (Action: readonly string[], Resource: Yaml): Yaml => ({
  Effect: 'Allow',
  Action,
  Resource,
})

/** Each statement names its resource. */
const ROLE: Yaml = {
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'lambda.amazonaws.com' },
          Action: 'sts:AssumeRole',
        },
      ],
    },
    Policies: [
      {
        PolicyName: 'token-proxy',
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            allow(['dynamodb:GetItem', 'dynamodb:UpdateItem'], createGetAtt('TokenTable', 'Arn')),
            allow(['secretsmanager:GetSecretValue'], createRef('EncryptionSecret')),
            allow(
              ['logs:CreateLogStream', 'logs:PutLogEvents'],
              createGetAtt('TokenProxyLog', 'Arn'),
            ),
          ],
        },
      },
    ],
  },
}

const TABLE: Yaml = {
  Type: 'AWS::DynamoDB::Table',
  Properties: {
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
    SSESpecification: { SSEEnabled: true },
  },
}

const FUNCTION: Yaml = {
  Type: 'AWS::Serverless::Function',
  Metadata: {
    BuildMethod: 'esbuild',
    BuildProperties: {
      EntryPoints: ['proxy.mjs'],
      Format: 'esm',
      Target: 'es2023',
      OutExtension: ['.js=.mjs'],
      External: ['@aws-sdk/*'],
    },
  },
  Properties: {
    CodeUri: './',
    Handler: 'proxy.handler',
    Runtime: 'nodejs22.x',
    Architectures: ['arm64'],
    MemorySize: MEMORY_MB,
    Timeout: FUNCTION_TIMEOUT,
    ReservedConcurrentExecutions: withComment(
      `Times ${REQUESTS_PER_INSTANCE} token requests a second, below Cognito's quota of 150.`,
      MAX_INSTANCES,
    ),
    Role: createGetAtt('TokenProxyRole', 'Arn'),
    LoggingConfig: { LogGroup: createRef('TokenProxyLog') },
    Environment: {
      Variables: {
        TOKEN_ENDPOINT: createRef('TokenEndpoint'),
        CLIENT_IDS: createCall('Join', [',', createRef('ClientIds')]),
        TOKEN_TABLE: createRef('TokenTable'),
        ENCRYPTION_SECRET: createRef('EncryptionSecret'),
      },
    },
    Events: {
      Token: {
        Type: 'HttpApi',
        Properties: {
          ApiId: createRef('TokenApi'),
          Path: '/oauth2/token',
          Method: 'ANY',
          PayloadFormatVersion: '2.0',
        },
      },
    },
  },
}

const RESOURCES: YamlMap = {
  TokenTable: TABLE,
  EncryptionSecret: withComment('The key that seals the tokens in the table derives from it.', {
    Type: 'AWS::SecretsManager::Secret',
    Properties: {
      GenerateSecretString: { PasswordLength: SECRET_LENGTH, ExcludePunctuation: true },
    },
  }),
  TokenProxyLog: { Type: 'AWS::Logs::LogGroup', Properties: { RetentionInDays: LOG_DAYS } },
  TokenProxyRole: ROLE,
  TokenProxy: FUNCTION,
  TokenApi: withComment('Without an authorizer: callers have no token yet.', {
    Type: 'AWS::Serverless::HttpApi',
  }),
}

const CODE = `/** The caching token proxy as a function, written by \`cognito-m2m export --proxy\`. */
import { createHash } from 'node:crypto'
import { DynamoDB } from '@aws-sdk/client-dynamodb'
import { SecretsManager } from '@aws-sdk/client-secrets-manager'
import { createTokenProxyHandler, dynamoDbStore } from 'cognito-m2m/proxy/lambda'

const { TOKEN_ENDPOINT, CLIENT_IDS, TOKEN_TABLE, ENCRYPTION_SECRET } = process.env
const secrets = new SecretsManager({})
const { SecretString } = await secrets.getSecretValue({ SecretId: ENCRYPTION_SECRET })

export const handler = createTokenProxyHandler({
  tokenEndpoint: TOKEN_ENDPOINT,
  clients: CLIENT_IDS.split(','),
  store: dynamoDbStore({ client: new DynamoDB({}), tableName: TOKEN_TABLE }),
  encryptionKeys: [{ id: 'generated', key: createHash('sha256').update(SecretString).digest() }],
  upstream: { perSecond: ${REQUESTS_PER_INSTANCE} },
  logger: console,
})
`

/**
 * Renders the token proxy as a function.
 *
 * @param name Name of the user pool, for the description.
 * @returns `proxy.yaml`, a SAM template, and `proxy.mjs`, the code of its function.
 */
export function renderTokenProxy(name: string): readonly TemplateSource[] {
  const url = 'https://${TokenApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/oauth2/token'
  const template = writeTemplate({
    description: `The caching token proxy of ${name}`,
    sam: true,
    parameters: PARAMETERS,
    resources: RESOURCES,
    outputs: { TokenProxyUrl: { Value: createCall('Sub', url) } },
  })
  return [
    { file: 'proxy.yaml', text: template },
    { file: 'proxy.mjs', text: CODE },
  ]
}
