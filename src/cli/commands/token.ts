/** `cognito-m2m token`: an access token from any pool. */
import { Command } from 'commander'
import { OptionError, show } from '../../core/options/validate.ts'
import { checkScope } from '../../core/scopes.ts'
import { printable } from '../../core/util/text.ts'
import { type AccessToken, createTokenClient, type TokenClient } from '../../tokens/client/index.ts'
import type { CommandContext } from '../context.ts'
import { repeated } from '../files/flags.ts'
import { refuseSecret } from '../files/refused-secrets.ts'
import { jsonLine } from '../terminal/json.ts'
import { manual } from '../terminal/manual.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { type EndpointFlags, findTokenEndpoint } from './token-endpoint.ts'
import { failureOf } from './token-failures.ts'

/** Where the secret is looked for unless another variable is named. */
const SECRET = 'COGNITO_CLIENT_SECRET'

interface TokenFlags extends EndpointFlags {
  readonly clientId: string
  readonly scope?: readonly string[]
  readonly secretEnv?: string
  readonly json?: true
  readonly header?: true
}

export function tokenCommand({ terminal }: CommandContext): Command {
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
      repeated,
    )
    .option('--secret-env <name>', `the variable that holds the secret (default: ${SECRET})`)
    .option('--json', "print JSON in RFC 6749's words instead of the token alone")
    .option('--header', 'print it as a header: "Authorization: Bearer …"')
    .action(async (flags: TokenFlags) => {
      const scopes = readScopes(flags.scope)
      if (flags.json === true && flags.header === true) {
        throw new OptionError('--header', 'stands beside --json: choose one of them')
      }
      const named = flags.secretEnv === undefined ? undefined : secretIn(flags.secretEnv, terminal)
      const tokenEndpoint = await findTokenEndpoint(flags, terminal)
      const clientSecret = named ?? (await defaultSecret(flags.clientId, terminal))
      const { clientId } = flags
      const { fetch, now } = terminal
      const client = createTokenClient({ tokenEndpoint, clientId, clientSecret, fetch, now })
      const token = await tokenFrom(client, scopes, { tokenEndpoint, terminal })
      terminal.out(written(token, flags, now()))
    })
  const instead = `set ${SECRET}, name another variable with --secret-env, or be asked`
  return manual(refuseSecret(command, '--client-secret', instead), {
    description: [
      'Prints the token and nothing else, so that $(cognito-m2m token …) can stand in another command.',
      `The secret comes from the environment, or is asked for where there is a terminal; what is typed is not shown. It is sent to the token endpoint alone, over https; http is for this machine.`,
      'Every run asks Cognito, which counts and bills it. Services use the token client of cognito-m2m/client instead, which holds tokens as long as they are good.',
    ],
    environment: { [SECRET]: "the app client's secret" },
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
  })
}

/** Each may be a list with blanks, as the form and the claim have it. */
function readScopes(given: readonly string[] | undefined): readonly string[] | undefined {
  const scopes = given?.flatMap((it) => it.trim().split(/\s+/))
  return scopes?.map((it) => checkScope(it, '--scope'))
}

function secretIn(name: string, { env }: Terminal): string {
  const secret = env[name]
  if (secret !== undefined && secret !== '') return secret
  throw new OptionError(
    '--secret-env',
    `names ${show(name)}, which is not set: export the secret there`,
  )
}

async function defaultSecret(clientId: string, terminal: Terminal): Promise<string> {
  const { [SECRET]: exported } = terminal.env
  if (exported !== undefined && exported !== '') return exported
  const typed = await terminal.secret(`Secret of app client ${printable(clientId)}: `)
  if (typed !== undefined) return typed
  throw new OptionError(
    SECRET,
    'is not set and nobody typed a secret: export it, or use --secret-env',
  )
}

interface Asking {
  readonly tokenEndpoint: string
  readonly terminal: Terminal
}

/** Where the command is interrupted, the request ends with it. */
async function tokenFrom(
  client: TokenClient,
  scopes: readonly string[] | undefined,
  { tokenEndpoint, terminal: { signal } }: Asking,
): Promise<AccessToken> {
  signal.addEventListener('abort', () => client.close())
  if (signal.aborted) client.close()
  try {
    return await client.getToken(scopes === undefined ? {} : { scopes })
  } catch (error) {
    throw failureOf(error, tokenEndpoint)
  }
}

function written(
  { accessToken, expiresAt, scopes }: AccessToken,
  { json, header, clientId }: TokenFlags,
  now: number,
): string {
  if (header === true) return `Authorization: Bearer ${accessToken}\n`
  if (json !== true) return `${accessToken}\n`
  return jsonLine({
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: Math.max(0, Math.floor(expiresAt - now / 1000)),
    expires_at: expiresAt,
    scope: scopes.join(' '),
    client_id: clientId,
  })
}
