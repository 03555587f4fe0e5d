/** `cognito-m2m token`: an access token from any pool. */
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
} from '../../tokens/client/index.ts'
import { readTokenEndpoint } from '../../tokens/oauth/token-endpoint.ts'
import { CommandFailure, EXIT } from '../exit-codes.ts'
import { collectValues, rejectSecretOption } from '../files/flags.ts'
import { formatJson } from '../terminal/format.ts'
import type { Manual } from '../terminal/help.ts'
import type { CommandContext, DocumentedCommand, Terminal } from '../terminal/terminal.ts'
import { listIssuerForms } from './explain/keys.ts'

/** By `error` of Cognito's answer (RFC 6749 section 5.2). */
const OAUTH_ERRORS: ReadonlyMap<string, string> = new Map([
  [
    'invalid_client',
    'the app client is unknown there, or the secret is not its own: check --client-id, the secret, and that the endpoint is of the same user pool',
  ],
  [
    'invalid_grant',
    'the app client may not use OAuth: set AllowedOAuthFlowsUserPoolClient to true, with client_credentials as its flow',
  ],
  [
    'unauthorized_client',
    'the app client may not use this flow: make client_credentials its only one in AllowedOAuthFlows',
  ],
  [
    'unsupported_grant_type',
    'the endpoint takes no client credentials: check that it is the one of a Cognito user pool',
  ],
  [
    'invalid_scope',
    'the app client may not have one of the scopes: grant it in AllowedOAuthScopes, define it on a resource server, or ask for another --scope',
  ],
  ['invalid_request', 'it could not read the request: check that the endpoint is a token endpoint'],
])

const FAILURES: Partial<Readonly<Record<TokenClientErrorCode, string>>> = {
  ERR_TOKEN_REQUEST_TIMEOUT:
    'did not answer in time: check the address and the way out of this machine',
  ERR_TOKEN_TIMEOUT: 'did not answer in time: check the address and the way out of this machine',
  ERR_TOKEN_REQUEST_NETWORK: 'cannot be reached: check the address and the way out of this machine',
  ERR_TOKEN_REQUEST_STATUS: 'returned an error: try again later',
  ERR_TOKEN_RESPONSE_REDIRECT:
    'leads elsewhere, where the secret is not sent: name the endpoint itself',
}

/** What the command ends with; what is no failure of a token request stays what it is. */
export function toCommandFailure(error: unknown, tokenEndpoint: string): unknown {
  if (!(error instanceof TokenClientError)) return error
  const { code, status } = error
  if (code === 'ERR_CLIENT_CLOSED') return new CommandFailure(EXIT.interrupted, 'interrupted')
  if (code === 'ERR_TOKEN_REQUEST_REFUSED') return toRefusedFailure(error)
  if (status === 429) {
    return new CommandFailure(
      EXIT.unavailable,
      `Cognito was asked too often${formatDetails(error)}: its quota is 150 token requests a second for the account; reuse tokens until they expire`,
    )
  }
  const what = FAILURES[code] ?? 'returned no token: check that it ends in /oauth2/token'
  const { host } = new URL(tokenEndpoint)
  return new CommandFailure(
    EXIT.unavailable,
    `the token endpoint at ${host} ${what}${formatDetails(error)}`,
  )
}

/** A status without OAuth's words is no answer of a token endpoint. */
function toRefusedFailure(error: TokenClientError): CommandFailure {
  const code = error.error
  const what =
    code === undefined
      ? 'no token endpoint answers there: check that the address ends in /oauth2/token'
      : `${code}: ${OAUTH_ERRORS.get(code) ?? 'it gives no other reason'}`
  return new CommandFailure(EXIT.refused, `no token, ${what}${formatDetails(error)}`)
}

/** What AWS's support and a search engine want to know. */
function formatDetails({ status, errno, requestId, retryAfter }: TokenClientError): string {
  const known = [
    status === undefined ? [] : `status ${status}`,
    errno ?? [],
    retryAfter === undefined ? [] : `wait ${Math.ceil(retryAfter)} s`,
    requestId === undefined ? [] : `request ${requestId}`,
  ].flat()
  return known.length === 0 ? '' : ` (${known.join(', ')})`
}

/** Milliseconds the document may take. */
const TIMEOUT_MS = 5000
/** Bytes of it; Cognito's have about 1,500. */
const MAX_BYTES = 64 * 1024

/** Ways to name a token endpoint, one of which is needed. */
interface EndpointFlags {
  readonly tokenUrl?: string
  readonly domain?: string
  readonly issuer?: string
  readonly pool?: string
}

const NAMES = { tokenUrl: '--token-url', domain: '--domain', issuer: '--issuer', pool: '--pool' }

/**
 * The token endpoint's URL. What has to be asked first is told on standard error.
 *
 * @throws {OptionError} if no option names the endpoint, two do, or its URL is invalid.
 * @throws {CommandFailure} if the discovery document is unavailable or does not contain the endpoint.
 */
async function findTokenEndpoint(flags: EndpointFlags, terminal: Terminal): Promise<string> {
  const given = Object.keys(NAMES).filter((it) => flags[it as keyof EndpointFlags] !== undefined)
  const names = Object.values(NAMES).join(', ')
  if (given.length !== 1) {
    const [first = 'one'] = given.map((it) => NAMES[it as keyof typeof NAMES])
    throw new OptionError(
      given.length === 0 ? '--token-url' : first,
      given.length === 0
        ? `is missing: name the token endpoint by one of ${names}`
        : `does not stand alone: name the token endpoint by one of ${names}`,
    )
  }
  const { tokenUrl, domain, issuer, pool } = flags
  if (tokenUrl !== undefined) return readTokenEndpoint(tokenUrl, NAMES.tokenUrl).href
  if (domain !== undefined) return toTokenEndpoint(domain)
  return discoverEndpoint(
    issuer === undefined ? listIssuerForms(pool as string).map((form) => form.issuer) : [issuer],
    terminal,
  )
}

/** The hosted domain of a pool, Cognito's own or the owner's. */
function toTokenEndpoint(domain: string): string {
  const url = readSecureUrl(domain, NAMES.domain)
  if (url.href !== `${url.origin}/`) {
    throw new OptionError(
      NAMES.domain,
      `is ${describeValue(domain)}: pass scheme and host alone, or the whole endpoint as ${NAMES.tokenUrl}`,
    )
  }
  return `${url.origin}/oauth2/token`
}

/** The next issuer is asked only where the one before says that it is not the pool's. */
async function discoverEndpoint(
  [issuer, ...others]: readonly string[],
  terminal: Terminal,
): Promise<string> {
  const asked = readSecureUrl(issuer as string, NAMES.issuer)
  const url = `${(issuer as string).replace(/\/$/, '')}/.well-known/openid-configuration`
  terminal.err(`cognito-m2m: asking ${toPrintable(url)} for the token endpoint\n`)
  const { status, body } = await fetchDiscovery(url, terminal)
  if ((status === 403 || status === 404) && others.length > 0)
    return discoverEndpoint(others, terminal)
  if (status !== 200) {
    throw new CommandFailure(
      EXIT.unavailable,
      `the discovery document is not available (status ${status}): check the issuer, or name the endpoint by ${NAMES.tokenUrl}`,
    )
  }
  return readDiscoveredEndpoint(body, issuer as string, isLoopback(asked))
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
      `the discovery document is not available (${errno ?? reason}): check the issuer, or name the endpoint by ${NAMES.tokenUrl}`,
    )
  }
}

/** A document of another issuer, or one that leads off to http, would get hold of the secret. */
function readDiscoveredEndpoint(body: Buffer, issuer: string, isLocal: boolean): string {
  const document = parseJson(body)
  if (document['issuer'] !== issuer) {
    throw new CommandFailure(EXIT.unavailable, 'the discovery document is of another issuer')
  }
  try {
    const url = readTokenEndpoint(document['token_endpoint'], 'token_endpoint')
    if (isLocal || url.protocol === 'https:') return url.href
  } catch {
    // Told below: what stands there is not repeated.
  }
  throw new CommandFailure(
    EXIT.unavailable,
    `the discovery document names no token endpoint to trust: a pool without a domain has none; else use ${NAMES.tokenUrl}`,
  )
}

function parseJson(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    return { ...JSON.parse(body.toString('utf8')) }
  } catch {
    return {}
  }
}

/** Where the secret is looked for unless another variable is named. */
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
    .option('--domain <url>', "the pool's domain: its token endpoint is /oauth2/token there")
    .option('--issuer <url>', 'the issuer: its discovery document is asked for the endpoint')
    .option('--pool <id>', 'the user pool: the same, at its own issuer')
    .requiredOption('--client-id <id>', 'the app client')
    .option(
      '--scope <scope>',
      'ask for this scope; repeatable (default: all it may have)',
      collectValues,
    )
    .option(
      '--secret-env <name>',
      `the variable that holds the secret (default: ${SECRET_VARIABLE})`,
    )
    .option('--json', "print JSON in RFC 6749's words instead of the token alone")
    .option('--header', 'print it as a header: "Authorization: Bearer …"')
    .action(async (flags: TokenFlags) => {
      const scopes = readScopes(flags.scope)
      if (flags.json === true && flags.header === true) {
        throw new OptionError('--header', 'stands beside --json: choose one of them')
      }
      const named =
        flags.secretEnv === undefined ? undefined : readSecretVariable(flags.secretEnv, terminal)
      const tokenEndpoint = await findTokenEndpoint(flags, terminal)
      const clientSecret = named ?? (await readSecret(flags.clientId, terminal))
      const { clientId } = flags
      const { fetch, now } = terminal
      const client = createTokenClient({ tokenEndpoint, clientId, clientSecret, fetch, now })
      const token = await requestToken(client, scopes, { tokenEndpoint, terminal })
      terminal.out(formatToken(token, flags, now()))
    })
  const instead = `set ${SECRET_VARIABLE}, name another variable with --secret-env, or be asked`
  rejectSecretOption(command, '--client-secret', instead)
  return { command, manual: MANUAL }
}

const MANUAL: Manual = {
  description: [
    'Prints the token and nothing else, so that $(cognito-m2m token …) can stand in another command.',
    `The secret comes from the environment, or is asked for where there is a terminal; what is typed is not shown. It is sent to the token endpoint alone, over https; http is for this machine.`,
    'Every run asks Cognito, which counts and bills it. Services use the token client of cognito-m2m/client instead, which holds tokens as long as they are good.',
  ],
  environment: { [SECRET_VARIABLE]: "the app client's secret" },
  exitStatus: {
    ok: 'a token was printed',
    refused: 'Cognito refused: the secret, the client or a scope is wrong',
    unavailable: 'the endpoint did not answer, asked to wait, or is none',
    interrupted: 'interrupted by Ctrl-C',
  },
  examples: [
    [
      'Call an API:',
      'curl -H "$(cognito-m2m token --header --domain https://shop.auth.eu-west-1.amazoncognito.com --client-id 5kek0i61pgkokoob4fsm9fo9it)" https://orders.example.com/orders',
    ],
    [
      'Ask for one scope and see what came of it:',
      'cognito-m2m token --pool eu-west-1_AbCdEfGhI --client-id 5kek0i61pgkokoob4fsm9fo9it --scope orders/read | cognito-m2m explain --scope orders/read',
    ],
  ],
}

/** Each may be a list with blanks, as the form and the claim have it. */
function readScopes(given: readonly string[] | undefined): readonly string[] | undefined {
  const scopes = given?.flatMap((it) => it.trim().split(/\s+/))
  return scopes?.map((it) => checkScope(it, '--scope'))
}

function readSecretVariable(name: string, { env }: Terminal): string {
  const secret = env[name]
  if (secret !== undefined && secret !== '') return secret
  throw new OptionError(
    '--secret-env',
    `names ${describeValue(name)}, which is not set: export the secret there`,
  )
}

async function readSecret(clientId: string, terminal: Terminal): Promise<string> {
  const { [SECRET_VARIABLE]: exported } = terminal.env
  if (exported !== undefined && exported !== '') return exported
  const typed = await terminal.secret(`Secret of app client ${toPrintable(clientId)}: `)
  if (typed !== undefined) return typed
  throw new OptionError(
    SECRET_VARIABLE,
    'is not set and nobody typed a secret: export it, or use --secret-env',
  )
}

interface TokenRequestContext {
  readonly tokenEndpoint: string
  readonly terminal: Terminal
}

/** Where the command is interrupted, the request ends with it. */
async function requestToken(
  client: TokenClient,
  scopes: readonly string[] | undefined,
  { tokenEndpoint, terminal: { signal } }: TokenRequestContext,
): Promise<AccessToken> {
  signal.addEventListener('abort', () => client.close())
  if (signal.aborted) client.close()
  try {
    return await client.getToken(scopes === undefined ? {} : { scopes })
  } catch (error) {
    throw toCommandFailure(error, tokenEndpoint)
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
