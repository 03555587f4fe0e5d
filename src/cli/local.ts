/** `cognito-m2m local`: runs a local user pool until it is interrupted. */
import { Command } from 'commander'
import { OptionError, show } from '../core/option-error.ts'
import {
  type LocalUserPool,
  type LocalUserPoolOptions,
  readPoolFile,
  startUserPool,
} from '../testing/index.ts'
import type { CommandContext } from './context.ts'

/** What is started without a file. */
const EXAMPLE: LocalUserPoolOptions = {
  resourceServers: [
    { identifier: 'orders', scopes: { read: 'Read orders', write: 'Change orders' } },
  ],
  clients: [
    { clientId: 'reader', scopes: ['orders/read'] },
    { clientId: 'writer', scopes: ['orders/read', 'orders/write'] },
  ],
}

interface LocalFlags {
  readonly config?: string
  readonly port?: string
  readonly cors?: true
  readonly json?: true
  readonly events?: true
}

export function localCommand({ terminal, started }: CommandContext): Command {
  return new Command('local')
    .description('run a local user pool: key set, discovery, /oauth2/token for client credentials')
    .option(
      '-c, --config <file>',
      'pool definition in JSON (default: two clients of an orders API)',
    )
    .option('-p, --port <number>', "loopback port; 0 means any (default: the file's, or any)")
    .option('--cors', 'let web pages of this machine get tokens, as Swagger UI does')
    .option('--json', 'print one line of JSON instead of text')
    .option('--events', 'print each token request as one line of JSON, in the shape of CloudTrail')
    .action(async ({ config, port, cors, json, events }: LocalFlags) => {
      const definition = config === undefined ? EXAMPLE : readPoolFile(config)
      const pool = await startUserPool({
        ...definition,
        ...(port === undefined ? {} : { port: readPort(port) }),
        ...(cors === undefined ? {} : { cors }),
        ...(events === undefined ? {} : { onEvent: (event) => terminal.out(lineOf(event)) }),
        control: true,
      })
      started(pool)
      terminal.out(json === true ? lineOf(summary(pool)) : describe(pool))
    })
}

function lineOf(value: object): string {
  return `${JSON.stringify(value)}\n`
}

function readPort(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw new OptionError('--port', `is ${show(text)}: use a whole number from 0 to 65535`)
}

function summary({ issuer, jwksUri, tokenEndpoint, clients }: LocalUserPool) {
  return {
    issuer,
    jwksUri,
    tokenEndpoint,
    clients: clients.map(({ clientId, clientSecrets: [clientSecret], scopes }) => ({
      clientId,
      clientSecret,
      scopes,
    })),
  }
}

function describe(pool: LocalUserPool): string {
  const { issuer, jwksUri, tokenEndpoint, clients } = summary(pool)
  const lines = clients.map(
    ({ clientId, clientSecret, scopes }) => `  ${clientId}  ${clientSecret}  ${scopes.join(' ')}`,
  )
  const [{ clientId, clientSecret }] = clients as [(typeof clients)[number]]
  const quoted = `'${`${clientId}:${clientSecret}`.replaceAll("'", `'\\''`)}'`
  return `
  Local user pool  ${pool.userPoolId}
  issuer           ${issuer}
  key set          ${jwksUri}
  token endpoint   ${tokenEndpoint}

  client, secret, scopes
${lines.join('\n')}

  curl -s -u ${quoted} -d grant_type=client_credentials ${tokenEndpoint}

  For development and tests only. Ctrl-C ends it.
`
}
