/** `cognito-m2m local`: runs a local user pool until it is interrupted. */
import { Command } from 'commander'
import { describeValue, OptionError, omitUndefined } from '../../core/options/validate.ts'
import { toPrintable } from '../../core/util/text.ts'
import {
  type LocalHost,
  type LocalUserPool,
  type LocalUserPoolOptions,
  type PoolClient,
  readPoolFile,
  startUserPool,
} from '../../testing/index.ts'
import { AMZ_JSON, GET_CLIENT_TOKEN } from '../../tokens/oauth/user-pools-api.ts'
import { addVariableOptions, type VariableFlag } from '../files/flags.ts'
import { formatJson } from '../terminal/format.ts'
import type { Manual } from '../terminal/help.ts'
import type { CommandContext, DocumentedCommand, Terminal } from '../terminal/terminal.ts'
import type { ClientOrigin, TemplateFlags, TemplatePool } from './local-template.ts'
import { loadTrigger } from './local-trigger.ts'

type Origins = ReadonlyMap<string, ClientOrigin>

/** Whether `/oauth2/token` issues tokens to the client. */
const canUseTokenEndpoint = ({ oauth, flows }: PoolClient): boolean =>
  oauth && flows.includes('client_credentials')

type PluginOptions = Pick<
  ReturnType<LocalUserPool['options']>,
  'userPoolId' | 'clientId' | 'issuer'
>

/** One client, with its position in a template. */
interface ClientSummary extends Partial<ClientOrigin> {
  readonly clientId: string
  /** Absent for public clients. */
  readonly clientSecret?: string
  readonly scopes: readonly string[]
}

interface Summary
  extends Pick<LocalUserPool, 'issuer' | 'jwksUri' | 'tokenEndpoint' | 'userPoolsApi'> {
  /** Options of `cognitoAuth` and `createResourceServer` that accept this pool's tokens. */
  readonly options: PluginOptions
  readonly clients: readonly ClientSummary[]
}

export function summarizePool(pool: LocalUserPool, origins: Origins): Summary {
  const { issuer, jwksUri, tokenEndpoint, userPoolsApi, clients } = pool
  return {
    issuer,
    jwksUri,
    tokenEndpoint,
    userPoolsApi,
    options: pool.options(),
    clients: clients.map(({ clientId, clientSecrets: [clientSecret], scopes }) =>
      omitUndefined<ClientSummary>({
        clientId,
        clientSecret,
        scopes,
        ...origins.get(clientId),
      }),
    ),
  }
}

function formatPool(pool: LocalUserPool, origins: Origins): string {
  const { issuer, jwksUri, tokenEndpoint, userPoolsApi, clients } = pool
  return `
  Local user pool  ${pool.userPoolId}
  issuer           ${issuer}
  key set          ${jwksUri}
  token endpoint   ${tokenEndpoint}
  user pools API   ${userPoolsApi.endpoint}

  options of cognitoAuth and createResourceServer
${formatOptions(pool)}
  client, secret, scopes
${clients.map(formatClient).join('')}${formatOrigins(pool, origins)}
${formatCurl(pool)}
  For development and tests only. Ctrl-C stops it.
`
}

/** Formats options as JavaScript. IDs of a pool have no characters that need an escape. */
function formatOptions(pool: LocalUserPool): string {
  const { userPoolId, clientId } = pool.options()
  const quoted = (text: string): string => `'${text}'`
  return `  {
    userPoolId: ${quoted(userPoolId)},
    clientId: [${clientId.map(quoted).join(', ')}],
    issuer: ${quoted(pool.issuer)},
  }
`
}

function formatClient(client: PoolClient): string {
  const { clientId, clientSecrets, scopes } = client
  const [secret = '(no secret)'] = clientSecrets
  const parts = [
    clientId,
    secret,
    scopes.join(' '),
    canUseTokenEndpoint(client) || client.clientToken ? '' : '(cannot get a token)',
  ]
  return `  ${parts.filter((part) => part !== '').join('  ')}\n`
}

function formatOrigins({ clients }: LocalUserPool, origins: Origins): string {
  const lines = clients.flatMap(({ clientId }) => {
    const { resource = '', at = '' } = origins.get(clientId) ?? {}
    return resource === '' ? [] : [`  ${clientId}  ${at}  ${toPrintable(resource)}\n`]
  })
  return lines.length === 0 ? '' : `\n  client, template, resource\n${lines.join('')}`
}

function formatCurl({ clients, tokenEndpoint, userPoolsApi }: LocalUserPool): string {
  const oauthClient = clients.find(canUseTokenEndpoint)
  if (oauthClient !== undefined) {
    const credentials = quote(`${oauthClient.clientId}:${oauthClient.clientSecrets[0]}`)
    return `  curl -s -u ${credentials} -d grant_type=client_credentials ${quoteUrl(tokenEndpoint)}\n`
  }
  const apiClient = clients.find(({ clientToken }) => clientToken)
  if (apiClient === undefined) {
    return '  No client can get a token: none has OAuth enabled with the flow client_credentials.\n'
  }
  const headers = [`content-type: ${AMZ_JSON}`, `x-amz-target: ${GET_CLIENT_TOKEN}`]
  const flags = headers.map((header) => `-H ${quote(header)}`).join(' ')
  const { clientId, clientSecrets } = apiClient
  const body = JSON.stringify({ ClientId: clientId, Secret: clientSecrets[0] })
  return `  curl -s ${flags} -d ${quote(body)} ${quoteUrl(userPoolsApi.endpoint)}\n`
}

/** Quotes a word for a POSIX shell. */
function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}

/** Shells interpret [::1] as a pattern. */
function quoteUrl(url: string): string {
  return url.includes('[') ? quote(url) : url
}

/** Default pool ID, the same at each start: a configured app works after a restart. */
const DEFAULT_USER_POOL_ID = 'xx-local-1_LocalPool'
/** Default port. A changed port would break the issuer of a configured app. */
const DEFAULT_PORT = 3001

/** The pool without a file or template. Its secrets are the same at each start. */
const EXAMPLE_POOL: LocalUserPoolOptions = {
  resourceServers: [
    { identifier: 'orders', scopes: { read: 'Read orders', write: 'Change orders' } },
  ],
  clients: [
    { clientId: 'reader', clientSecrets: ['reader-secret'], scopes: ['orders/read'] },
    {
      clientId: 'writer',
      clientSecrets: ['writer-secret'],
      scopes: ['orders/read', 'orders/write'],
    },
  ],
}

/** Options with the same name in the pool and the command. */
const FLAGS: readonly string[] = ['port', 'host', 'state']

interface LocalFlags extends TemplateFlags {
  readonly config?: string
  readonly port?: string
  readonly host?: string
  readonly state?: string
  readonly cors?: true
  readonly json?: true
  readonly events?: true
  readonly trigger?: string
}

const MANUAL: Manual = {
  description: [
    'Serves a key set, discovery, /oauth2/token and GetClientToken on loopback, with the responses and errors of Cognito, until Ctrl-C. APIs reject its tokens under NODE_ENV=production.',
    `It prints the options of cognitoAuth that accept its tokens. Pool id and port are the same at each start, so a configured app works after a restart. Defaults are ${DEFAULT_USER_POOL_ID} and ${DEFAULT_PORT}.`,
    'Keys are new at each start. --state saves them, so tokens from before a restart stay valid. The file contains private keys: do not commit it, and use a separate file for each pool.',
    'With --template it serves the clients and scopes that the templates deploy. Client ids are the names of the clients. Values that only a deployment knows are skipped and reported on standard error.',
    '--trigger imports the module and calls its function handler before each token, with the V3 event of a pre-token-generation trigger. Pass only a module that you trust: it runs with the rights of the command.',
  ],
  exitStatus: { ok: 'interrupted', refused: 'a deployment of the templates would fail' },
  examples: [
    ['Two clients of an orders API:', 'cognito-m2m local'],
    [
      'The clients of a SAM template, on another port:',
      'cognito-m2m local --template template.yaml --port 3002',
    ],
    [
      'The clients of a Terraform module, with a variable:',
      'cognito-m2m local --template infra/ --var stage=test',
    ],
    ['The same keys at each start:', 'cognito-m2m local --state .cognito-m2m.state.json'],
  ],
  seeAlso: [['Pool files, persistent keys and faults:', 'local-pool.md']],
}

export function localCommand({ terminal, onPoolStarted }: CommandContext): DocumentedCommand {
  const command = new Command('local')
    .description('run a local user pool: key set, discovery, tokens for client credentials')
    .option(
      '-c, --config <file>',
      'pool definition in JSON (default: two clients of an orders API)',
    )
    .option(
      '-t, --template <file...>',
      'CloudFormation or SAM templates, .tf files or their folder: serves the clients they deploy',
    )
    .option('--parameter <NAME=VALUE...>', 'value of a parameter or variable of the templates')
  const variables = addVariableOptions(command)
  command
    .option('--pool <id>', 'logical id or address of the user pool, if templates have several')
    .option(
      '--secrets <file>',
      'JSON object of secrets by client id (default: generated, and saved with --state)',
    )
    .option(
      '-p, --port <number>',
      `loopback port; 0 means any (default: the file's, or ${DEFAULT_PORT})`,
    )
    .option('--host <address>', 'loopback address: 127.0.0.1 or ::1 (default: 127.0.0.1)')
    .option(
      '--state <file>',
      'save keys and generated secrets in this file, created with mode 0600',
    )
    .option('--cors', 'let web pages on loopback get tokens, for Swagger UI')
    .option('--json', 'print one line of JSON instead of text')
    .option('--events', 'print each token request as one line of JSON, in the shape of CloudTrail')
    .option('--trigger <module>', 'call its function handler before each token, as Cognito does')
    .action(async (flags: LocalFlags) => {
      const { port, host, state, cors, json, events, trigger } = flags
      const { options, origins } = await readDefinition(flags, variables, terminal)
      const overrides = omitUndefined<LocalUserPoolOptions>({
        port: port === undefined ? undefined : readPort(port),
        // Validated at the start of the pool.
        host: host as LocalHost | undefined,
        state,
        cors,
        onEvent: events && ((event) => terminal.out(formatJson(event))),
        trigger: trigger === undefined ? undefined : await loadTrigger(trigger),
      })
      const pool = await startPool({
        userPoolId: DEFAULT_USER_POOL_ID,
        port: DEFAULT_PORT,
        ...options,
        ...overrides,
        control: true,
      })
      onPoolStarted(pool)
      terminal.out(
        json === true ? formatJson(summarizePool(pool, origins)) : formatPool(pool, origins),
      )
    })
  return { command, manual: MANUAL }
}

/** Starts the pool. Never selects another port, because apps are configured with this one. */
async function startPool(options: LocalUserPoolOptions): Promise<LocalUserPool> {
  try {
    return await startUserPool(options)
  } catch (error) {
    if (!(error instanceof OptionError) || !FLAGS.includes(error.option)) throw error
    throw new OptionError(`--${error.option}`, error.problem)
  }
}

interface Definition extends Pick<TemplatePool, 'origins'> {
  readonly options: LocalUserPoolOptions
}

async function readDefinition(
  flags: LocalFlags,
  variables: readonly VariableFlag[],
  terminal: Terminal,
): Promise<Definition> {
  const { config, template } = flags
  if (template === undefined) {
    rejectTemplateOptions(flags, variables)
    return {
      options: config === undefined ? EXAMPLE_POOL : readPoolFile(config),
      origins: new Map(),
    }
  }
  if (config !== undefined) {
    throw new OptionError(
      '--config',
      'expected --config or --template, got both. Pass one of them.',
    )
  }
  const { readTemplatePool } = await import('./local-template.ts')
  return readTemplatePool(flags, variables, terminal)
}

/** @throws {OptionError} for an option of templates. There are none. */
function rejectTemplateOptions(flags: LocalFlags, [variable]: readonly VariableFlag[]): void {
  const names = (['parameter', 'pool', 'secrets'] as const).filter(
    (name) => flags[name] !== undefined,
  )
  const [name] = variable === undefined ? names : ['name' in variable ? 'var' : 'var-file']
  if (name === undefined) return
  throw new OptionError(
    `--${name}`,
    'expected --template with this option, got none. Add --template or remove the option.',
  )
}

function readPort(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw new OptionError(
    '--port',
    `expected a whole number from 0 to 65535, got ${describeValue(text)}. Pass a number in that range.`,
  )
}
