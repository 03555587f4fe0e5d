/** `cognito-m2m token`: gets an access token from any user pool. */
import { Command } from 'commander'
import { isLoopback, readSecureUrl } from '../../core/options/secure-url.ts'
import { describeValue, OptionError } from '../../core/options/validate.ts'
import { checkScope } from '../../core/scopes.ts'
import {
  type BoundedFetchError,
  type BoundedResponse,
  boundedFetch,
} from '../../core/util/bounded-fetch.ts'
import { toPrintable } from '../../core/util/text.ts'
import {
  type AccessToken,
  createTokenClient,
  type TokenClient,
  TokenClientError,
  type TokenClientErrorCode,
  type TokenClientOptions,
} from '../../tokens/client/index.ts'
import { deriveUserPoolsUrl, readUserPoolsEndpoint } from '../../tokens/oauth/token-api-options.ts'
import { readTokenEndpoint } from '../../tokens/oauth/token-endpoint.ts'
import { CommandFailure, EXIT } from '../exit-codes.ts'
import { collectValues, rejectSecretOption } from '../files/flags.ts'
import { formatJson } from '../terminal/format.ts'
import type { Manual } from '../terminal/help.ts'
import type { CommandContext, DocumentedCommand, Terminal } from '../terminal/terminal.ts'
import { listIssuerForms } from './explain/keys.ts'

/** Cause and fix by the `error` of the response (RFC 6749 section 5.2). */
const OAUTH_ERRORS: ReadonlyMap<string, string> = new Map([
  [
    'invalid_client',
    'the app client is unknown, or the secret is wrong. Check --client-id, the secret, and the user pool of the endpoint.',
  ],
  [
    'invalid_grant',
    'OAuth is disabled on the app client. Set AllowedOAuthFlowsUserPoolClient to true, and allow client_credentials.',
  ],
  [
    'unauthorized_client',
    'the app client lacks the flow. Set AllowedOAuthFlows to client_credentials only.',
  ],
  [
    'unsupported_grant_type',
    'the endpoint does not support client credentials. Check that it belongs to a Cognito user pool.',
  ],
  [
    'invalid_scope',
    'the app client lacks one of the scopes. Define it on a resource server and grant it in AllowedOAuthScopes, or change --scope.',
  ],
  [
    'invalid_request',
    'the endpoint could not process the request. Check its address, and the pre-token-generation trigger of the pool.',
  ],
])

/** Differences of GetClientToken, whose exceptions have become these errors. */
const API_ERRORS: ReadonlyMap<string, string> = new Map([
  ...OAUTH_ERRORS,
  [
    'unauthorized_client',
    'the app client lacks the flow. Set ExplicitAuthFlows to ALLOW_CLIENT_TOKEN_AUTH only.',
  ],
])

const FAILURES: Partial<Readonly<Record<TokenClientErrorCode, string>>> = {
  ERR_TOKEN_REQUEST_TIMEOUT: 'did not respond in time. Check the address and the network.',
  ERR_TOKEN_TIMEOUT: 'did not respond in time. Check the address and the network.',
  ERR_TOKEN_REQUEST_NETWORK: 'cannot be reached. Check the address and the network.',
  ERR_TOKEN_REQUEST_STATUS: 'returned an error. Try again later.',
  ERR_TOKEN_RESPONSE_REDIRECT:
    'returned a redirect, which the command does not follow with a secret. Pass the final address.',
}

/**
 * Converts an error of the token client. Other errors pass through.
 *
 * @param url URL of the token endpoint, or of the user pools API.
 */
export function toCommandFailure(error: unknown, url: string, isUserPoolsApi = false): unknown {
  if (!(error instanceof TokenClientError)) return error
  const { code, status } = error
  if (code === 'ERR_CLIENT_CLOSED') return new CommandFailure(EXIT.interrupted, 'interrupted')
  if (code === 'ERR_TOKEN_REQUEST_REFUSED') return toRefusedFailure(error, isUserPoolsApi)
  if (status === 429) {
    return new CommandFailure(
      EXIT.unavailable,
      `the ${isUserPoolsApi ? 'user pools API' : 'token endpoint'} is over its quota${formatDetails(error)}. Cognito allows 150 token requests per second for an account. Reuse tokens until they expire.`,
    )
  }
  const check = isUserPoolsApi ? CHECK_API : 'Check that the address ends in /oauth2/token.'
  const what = FAILURES[code] ?? `returned no token. ${check}`
  const { host } = new URL(url)
  return new CommandFailure(
    EXIT.unavailable,
    `the ${isUserPoolsApi ? 'user pools API' : 'token endpoint'} at ${host}${formatDetails(error)} ${what}`,
  )
}

const CHECK_API = 'Check --region or --endpoint-url, and a firewall in front of it.'

/** A status without an OAuth error does not come from a token API. */
function toRefusedFailure(error: TokenClientError, isUserPoolsApi: boolean): CommandFailure {
  const code = error.error
  const errors = isUserPoolsApi ? API_ERRORS : OAUTH_ERRORS
  const unknown = isUserPoolsApi
    ? `the address is not the user pools API. ${CHECK_API}`
    : 'the address is not a token endpoint. Check that it ends in /oauth2/token.'
  const what =
    code === undefined ? unknown : `${code}: ${errors.get(code) ?? 'the endpoint gives no reason.'}`
  return new CommandFailure(EXIT.refused, `no token${formatDetails(error)}: ${what}`)
}

/** Facts for a search, or for AWS Support. */
function formatDetails(error: TokenClientError): string {
  const { status, exception, errno, requestId, retryAfter } = error
  const details = [
    status === undefined ? [] : `status ${status}`,
    exception ?? [],
    errno ?? [],
    retryAfter === undefined ? [] : `wait ${Math.ceil(retryAfter)} s`,
    requestId === undefined ? [] : `request ${requestId}`,
  ].flat()
  return details.length === 0 ? '' : ` (${details.join(', ')})`
}

/** Time limit of the discovery request. */
const TIMEOUT_MS = 5000
/** Size limit of the discovery document. Cognito's has about 1,500 bytes. */
const MAX_BYTES = 64 * 1024

/** Flags for the token API, exactly one of which is required. */
interface EndpointFlags {
  readonly tokenUrl?: string
  readonly domain?: string
  readonly issuer?: string
  readonly pool?: string
  readonly region?: string
  readonly endpointUrl?: string
}

const NAMES = {
  tokenUrl: '--token-url',
  domain: '--domain',
  issuer: '--issuer',
  pool: '--pool',
  region: '--region',
  endpointUrl: '--endpoint-url',
}

/** The token API of a command: `/oauth2/token`, or GetClientToken of the user pools API. */
interface CommandApi {
  readonly url: string
  readonly isUserPoolsApi: boolean
}

/**
 * Finds the URL of the token API. Logs a discovery request on standard error.
 *
 * @throws {OptionError} if no option names the API, two do, or its URL is invalid.
 * @throws {CommandFailure} if the discovery document is unavailable or does not contain the endpoint.
 */
async function findTokenApi(flags: EndpointFlags, terminal: Terminal): Promise<CommandApi> {
  const keys = Object.keys(NAMES).filter((it) => flags[it as keyof EndpointFlags] !== undefined)
  const names = Object.values(NAMES).join(', ')
  if (keys.length !== 1) {
    const [first = NAMES.tokenUrl] = keys.map((it) => NAMES[it as keyof typeof NAMES])
    const count = keys.length === 0 ? 'none' : String(keys.length)
    throw new OptionError(first, `expected one of ${names}, got ${count}. Pass one of them.`)
  }
  const { region, endpointUrl } = flags
  if (region !== undefined) {
    return { url: deriveUserPoolsUrl(region, NAMES.region), isUserPoolsApi: true }
  }
  if (endpointUrl !== undefined) {
    return { url: readUserPoolsEndpoint(endpointUrl, NAMES.endpointUrl), isUserPoolsApi: true }
  }
  return { url: await findTokenEndpoint(flags, terminal), isUserPoolsApi: false }
}

async function findTokenEndpoint(
  { tokenUrl, domain, issuer, pool }: EndpointFlags,
  terminal: Terminal,
): Promise<string> {
  if (tokenUrl !== undefined) return readTokenEndpoint(tokenUrl, NAMES.tokenUrl).href
  if (domain !== undefined) return toTokenEndpoint(domain)
  return discoverEndpoint(
    issuer === undefined ? listIssuerForms(pool as string).map((form) => form.issuer) : [issuer],
    terminal,
  )
}

/** Converts a domain of a pool, of Cognito or custom, to its token endpoint. */
function toTokenEndpoint(domain: string): string {
  const url = readSecureUrl(domain, NAMES.domain)
  if (url.href !== `${url.origin}/`) {
    throw new OptionError(
      NAMES.domain,
      `expected a URL without a path, got ${describeValue(domain)}. Remove the path, or pass the endpoint as ${NAMES.tokenUrl}.`,
    )
  }
  return `${url.origin}/oauth2/token`
}

/** Tries the next issuer only after status 403 or 404, which mean that the pool has another one. */
async function discoverEndpoint(
  [issuer, ...others]: readonly string[],
  terminal: Terminal,
): Promise<string> {
  const issuerUrl = readSecureUrl(issuer as string, NAMES.issuer)
  const url = `${(issuer as string).replace(/\/$/, '')}/.well-known/openid-configuration`
  terminal.err(`cognito-m2m: requesting the token endpoint from ${toPrintable(url)}\n`)
  const { status, body } = await fetchDiscovery(url, terminal)
  if ((status === 403 || status === 404) && others.length > 0)
    return discoverEndpoint(others, terminal)
  if (status !== 200) {
    throw new CommandFailure(
      EXIT.unavailable,
      `the discovery document is not available (status ${status}). Check the issuer, or pass ${NAMES.tokenUrl}.`,
    )
  }
  return readDiscoveredEndpoint(body, issuer as string, isLoopback(issuerUrl))
}

async function fetchDiscovery(url: string, { fetch, signal }: Terminal): Promise<BoundedResponse> {
  const headers = { accept: 'application/json' }
  try {
    return await boundedFetch(
      url,
      { headers },
      { fetch, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES, signal },
    )
  } catch (error) {
    const { reason, errno } = error as BoundedFetchError
    if (reason === 'aborted') throw new CommandFailure(EXIT.interrupted, 'interrupted')
    throw new CommandFailure(
      EXIT.unavailable,
      `the discovery document is not available (${errno ?? reason}). Check the issuer, or pass ${NAMES.tokenUrl}.`,
    )
  }
}

/** Reads the endpoint. A document of another issuer, or an http endpoint, could expose the secret. */
function readDiscoveredEndpoint(body: Buffer, issuer: string, isLocal: boolean): string {
  const document = parseJson(body)
  if (document['issuer'] !== issuer) {
    throw new CommandFailure(
      EXIT.unavailable,
      'the discovery document has another issuer. Check the issuer.',
    )
  }
  try {
    const url = readTokenEndpoint(document['token_endpoint'], 'token_endpoint')
    if (isLocal || url.protocol === 'https:') return url.href
  } catch {
    // The error below does not repeat the untrusted value.
  }
  throw new CommandFailure(
    EXIT.unavailable,
    `the discovery document has no secure token endpoint. Add a domain to the pool, or pass ${NAMES.tokenUrl}.`,
  )
}

function parseJson(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    return { ...JSON.parse(body.toString('utf8')) }
  } catch {
    return {}
  }
}

/** Default variable of the secret. */
const SECRET_VARIABLE = 'COGNITO_CLIENT_SECRET'

interface TokenFlags extends EndpointFlags {
  readonly clientId: string
  readonly scope?: readonly string[]
  readonly secretEnv?: string
  readonly json?: true
  readonly header?: true
}

export function tokenCommand({ terminal }: CommandContext): DocumentedCommand {
  const command = new Command('token')
    .description('get an access token by client credentials')
    .option('--token-url <url>', 'the token endpoint')
    .option('--domain <url>', "the pool's domain: the token endpoint is <url>/oauth2/token")
    .option('--issuer <url>', 'the issuer: its discovery document has the token endpoint')
    .option(
      '--pool <id>',
      'the user pool: the discovery document of its issuer has the token endpoint',
    )
    .option('--region <region>', 'call GetClientToken of the user pools API in this Region')
    .option('--endpoint-url <url>', 'call GetClientToken at this URL, for example a VPC endpoint')
    .requiredOption('--client-id <id>', 'the app client')
    .option(
      '--scope <scope>',
      'request this scope; repeatable (default: all scopes of the client)',
      collectValues,
    )
    .option(
      '--secret-env <name>',
      `the variable that holds the secret (default: ${SECRET_VARIABLE})`,
    )
    .option('--json', 'print JSON with the members of RFC 6749 instead of the token')
    .option('--header', 'print a header: "Authorization: Bearer …"')
    .action(async (flags: TokenFlags) => {
      const scopes = readScopes(flags.scope)
      if (flags.json === true && flags.header === true) {
        throw new OptionError(
          '--header',
          'expected --header or --json, got both. Pass one of them.',
        )
      }
      const namedSecret =
        flags.secretEnv === undefined ? undefined : readSecretVariable(flags.secretEnv, terminal)
      const api = await findTokenApi(flags, terminal)
      const clientSecret = namedSecret ?? (await readSecret(flags.clientId, terminal))
      const { clientId } = flags
      const { fetch, now } = terminal
      const client = createTokenClient({
        ...toApiOption(api),
        clientId,
        clientSecret,
        fetch,
        now,
      })
      const token = await requestToken(client, scopes, { api, terminal })
      terminal.out(formatToken(token, flags, now()))
    })
  const fix = `Set ${SECRET_VARIABLE}, set another variable with --secret-env, or type it at the prompt.`
  rejectSecretOption(command, '--client-secret', fix)
  return { command, manual: MANUAL }
}

function toApiOption({
  url,
  isUserPoolsApi,
}: CommandApi): Pick<TokenClientOptions, 'tokenEndpoint' | 'userPoolsApi'> {
  return isUserPoolsApi ? { userPoolsApi: { endpoint: url } } : { tokenEndpoint: url }
}

const MANUAL: Manual = {
  description: [
    'Prints only the token, for use as $(cognito-m2m token …) in another command.',
    'The secret comes from the environment, or from a prompt without echo. The command sends it only to the token endpoint or the user pools API, over https. http is allowed on loopback.',
    'With --region or --endpoint-url it calls GetClientToken, so the pool needs no domain. The app client needs ALLOW_CLIENT_TOKEN_AUTH as its only flow.',
    'Every run requests a token from Cognito, which bills it. Services should use the token client of cognito-m2m/client, which caches tokens.',
  ],
  environment: { [SECRET_VARIABLE]: "the app client's secret" },
  exitStatus: {
    ok: 'a token was printed',
    refused: 'Cognito rejected the secret, the client or a scope',
    unavailable: 'the endpoint did not respond, is over its quota, or returned no token',
    interrupted: 'interrupted by Ctrl-C',
  },
  examples: [
    [
      'Call an API:',
      'curl -H "$(cognito-m2m token --header --domain https://shop.auth.eu-west-1.amazoncognito.com --client-id 5kek0i61pgkokoob4fsm9fo9it)" https://orders.example.com/orders',
    ],
    [
      'Request one scope, and explain the token:',
      'cognito-m2m token --pool eu-west-1_AbCdEfGhI --client-id 5kek0i61pgkokoob4fsm9fo9it --scope orders/read | cognito-m2m explain --scope orders/read',
    ],
    [
      'Get a token of a pool without a domain:',
      'cognito-m2m token --region eu-west-1 --client-id 5kek0i61pgkokoob4fsm9fo9it',
    ],
  ],
  seeAlso: [['Tokens in services, without a token request for each call:', 'client.md']],
}

/** Reads scopes. Each value may be a space-separated list, as in the form and the claim. */
function readScopes(values: readonly string[] | undefined): readonly string[] | undefined {
  const scopes = values?.flatMap((it) => it.trim().split(/\s+/))
  return scopes?.map((it) => checkScope(it, '--scope'))
}

function readSecretVariable(name: string, { env }: Terminal): string {
  const secret = env[name]
  if (secret !== undefined && secret !== '') return secret
  throw new OptionError(
    '--secret-env',
    `expected a variable that is set, got ${describeValue(name)}. Export the secret in it.`,
  )
}

async function readSecret(clientId: string, terminal: Terminal): Promise<string> {
  const { [SECRET_VARIABLE]: secret } = terminal.env
  if (secret !== undefined && secret !== '') return secret
  const typed = await terminal.secret(`Secret of app client ${toPrintable(clientId)}: `)
  if (typed !== undefined) return typed
  throw new OptionError(
    SECRET_VARIABLE,
    'expected a secret, got none. Export the variable, or use --secret-env.',
  )
}

interface TokenRequestContext {
  readonly api: CommandApi
  readonly terminal: Terminal
}

/** Requests a token. Ctrl-C aborts the request. */
async function requestToken(
  client: TokenClient,
  scopes: readonly string[] | undefined,
  { api, terminal: { signal } }: TokenRequestContext,
): Promise<AccessToken> {
  signal.addEventListener('abort', () => client.close())
  if (signal.aborted) client.close()
  try {
    return await client.getToken(scopes === undefined ? {} : { scopes })
  } catch (error) {
    throw toCommandFailure(error, api.url, api.isUserPoolsApi)
  }
}

function formatToken(
  { accessToken, expiresAt, scopes }: AccessToken,
  { json, header, clientId }: TokenFlags,
  now: number,
): string {
  if (header === true) return `Authorization: Bearer ${accessToken}\n`
  if (json !== true) return `${accessToken}\n`
  return formatJson({
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: Math.max(0, Math.floor(expiresAt - now / 1000)),
    expires_at: expiresAt,
    scope: scopes.join(' '),
    client_id: clientId,
  })
}
