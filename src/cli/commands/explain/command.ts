/** `cognito-m2m explain`: shows a token, and why an API accepts or rejects it. */
import { Command, Option } from 'commander'
import {
  describeValue,
  OptionError,
  omitUndefined,
  readClientIds,
  readStrings,
} from '../../../core/options/validate.ts'
import { checkScope } from '../../../core/scopes.ts'
import { EXIT } from '../../exit-codes.ts'
import { collectValues, rejectSecretOption } from '../../files/flags.ts'
import { formatJson } from '../../terminal/format.ts'
import type { Manual } from '../../terminal/help.ts'
import type { CommandContext, DocumentedCommand, Terminal } from '../../terminal/terminal.ts'
import { type Expectations, runChecks } from './checks.ts'
import { decodeToken, type ExtractedToken, extractToken } from './decode.ts'
import { type IssuerFlags, isUrl, loadKeySets, selectIssuers } from './keys.ts'
import { type Explanation, formatReport, readTime } from './report.ts'
import { getAuthError } from './verdict.ts'

export type Conditions = Omit<Expectations, 'expectedIssuers' | 'keys'> & IssuerFlags

export async function explain(
  { token, notes }: ExtractedToken,
  conditions: Conditions,
  terminal: Terminal,
): Promise<Explanation> {
  const decoded = decodeToken(token)
  const { header = null, claims = null } = decoded
  const expectedIssuers = selectIssuers(conditions, decoded.claims?.['iss'])
  const keys = await loadKeySets(expectedIssuers, conditions.jwks, terminal)
  const expected = { ...conditions, expectedIssuers, keys }
  const checks = await runChecks(decoded, expected)
  const answer = (await getAuthError(token, expected)) ?? null
  const verdict = answer === null ? 'accepted' : answer.statusCode === 503 ? 'unjudged' : 'refused'
  const { now } = conditions
  const source = keys.source === '' ? null : keys.source
  return { verdict, answer, checks, header, claims, keys: source, notes, now }
}

/** Default variable of the token. */
const TOKEN_VARIABLE = 'COGNITO_TOKEN'
/** Size limit of the input. Tokens of Cognito have about 1,000 bytes. */
const MAX_BYTES = 64 * 1024
/** How to pass the token. */
const TOKEN_FIX = `Pipe the token to standard input, set ${TOKEN_VARIABLE}, or type it at the prompt.`

interface ExplainFlags {
  readonly pool?: string
  readonly region?: readonly string[]
  readonly issuer?: string
  readonly jwks?: string
  readonly clientId?: readonly string[]
  readonly scope?: readonly string[]
  readonly subjects: 'machine' | 'any'
  readonly audience?: readonly string[]
  readonly clockTolerance?: string
  readonly at?: string
  readonly offline?: true
  readonly tokenEnv?: string
  readonly json?: true
}

export function explainCommand({ terminal, exitWith }: CommandContext): DocumentedCommand {
  const command: Command = new Command('explain')
    .description('show the contents of an access token and why an API accepts or rejects it')
    .option('--pool <id>', 'the user pool that the API trusts')
    .option(
      '--region <region>',
      'a Region with a replica of the user pool; repeatable',
      collectValues,
    )
    .option('--issuer <url>', 'the issuer instead of --pool, for an emulator or a local pool')
    .option('--jwks <file>', 'the key set: a JSON file or a URL')
    .option(
      '--client-id <id>',
      'an app client that may call; repeatable (default: every app client)',
      collectValues,
    )
    .option('--scope <scope>', 'a required scope; repeatable (all are required)', collectValues)
    .addOption(
      new Option('--subjects <kind>', 'allowed callers')
        .choices(['machine', 'any'])
        .default('machine'),
    )
    .option(
      '--audience <id>',
      "the API's identifier, for users' tokens bound to it; repeatable (default: none)",
      collectValues,
    )
    .option('--clock-tolerance <seconds>', 'tolerated clock difference (default: 5)')
    .option('--at <time>', 'verify at this time instead of now: ISO 8601 or epoch seconds')
    .option('--offline', 'send no request; without --jwks the signature is not verified')
    .option('--token-env <name>', `the variable with the token (default: ${TOKEN_VARIABLE})`)
    .option('--json', 'print JSON instead of text')
    .allowExcessArguments()
    .action(async (flags: ExplainFlags) => {
      if (command.args.length > 0) {
        throw new OptionError(
          'TOKEN',
          `expected no token on the command line, which other processes and the shell history can read, got one. ${TOKEN_FIX}`,
        )
      }
      const conditions = readConditions(flags, terminal)
      const extracted = extractToken(await readToken(flags.tokenEnv, terminal))
      if (extracted.token === '') {
        throw new OptionError('TOKEN', `expected an access token, got none. ${TOKEN_FIX}`)
      }
      const explanation = await explain(extracted, conditions, terminal)
      terminal.out(
        flags.json === true
          ? formatJson(toJson(explanation))
          : formatReport(explanation, terminal.colors),
      )
      exitWith(EXIT_CODES[explanation.verdict])
    })
  rejectSecretOption(command, '--token', TOKEN_FIX)
  return { command, manual: MANUAL }
}

const EXIT_CODES = { accepted: EXIT.ok, refused: EXIT.refused, unjudged: EXIT.unavailable } as const

const MANUAL: Manual = {
  description: [
    'Reads a token from standard input, from the environment, or from a prompt without echo. Runs every check of the middleware, not only up to the first failure, and reports the response of an API.',
    'Keys come from --jwks, --issuer or --pool. Without them, the command requests keys from the issuer in the token, if it is a Cognito host. Other issuers get no request, because the sender of the token chose them. The command sends nothing else, and never prints the token or its signature.',
  ],
  environment: { [TOKEN_VARIABLE]: 'the token, if standard input is a terminal or empty' },
  exitStatus: {
    ok: 'an API accepts the token',
    refused: 'an API rejects the token',
    unavailable: 'the token could not be verified: no signing keys are available',
    interrupted: 'interrupted by Ctrl-C',
  },
  examples: [
    [
      'The response of your API to a token, with a scope:',
      'cognito-m2m explain --pool eu-west-1_AbCdEfGhI --scope orders/read < token.txt',
    ],
    ['Paste the token at a prompt without echo:', 'cognito-m2m explain --pool eu-west-1_AbCdEfGhI'],
    [
      'Offline, at a time in the past:',
      'cognito-m2m explain --jwks jwks.json --at 2026-11-21T14:52:16Z < token.txt',
    ],
  ],
  seeAlso: [['Every error code, its cause and its fix:', 'errors.md']],
}

function readConditions(flags: ExplainFlags, { now }: Terminal): Conditions {
  const { pool, region, issuer, jwks, offline, clientId, subjects, at } = flags
  if (offline === true && jwks !== undefined && isUrl(jwks)) {
    throw new OptionError(
      '--jwks',
      `expected a file with --offline, got ${describeValue(jwks)}. Pass a file, or remove --offline.`,
    )
  }
  const issuerFlags = omitUndefined<IssuerFlags>({
    pool,
    regions: region,
    issuer,
    jwks,
    offline,
  })
  return {
    ...issuerFlags,
    clientIds: clientId && readClientIdFlags(clientId),
    subjects,
    audience: flags.audience && readStrings(flags.audience, '--audience', 'audience'),
    scopes: (flags.scope ?? []).map(readScopeFlag),
    clockTolerance: readTolerance(flags.clockTolerance),
    now: at === undefined ? now() : readTime(at, '--at'),
  }
}

function readClientIdFlags(values: readonly string[]): readonly string[] {
  const list = values.find((value) => value.includes(','))
  if (list === undefined) return readClientIds(values, '--client-id')
  throw new OptionError(
    '--client-id',
    `expected one app client id, got ${describeValue(list)}. Repeat the option for each id.`,
  )
}

function readScopeFlag(value: string): string {
  if (!/\s/.test(value)) return checkScope(value, '--scope')
  throw new OptionError(
    '--scope',
    `expected one scope without spaces, got ${describeValue(value)}. Repeat the option for each scope.`,
  )
}

function readTolerance(text = '5'): number {
  if (/^\d{1,3}(?:\.\d+)?$/.test(text) && Number(text) <= 300) return Number(text)
  throw new OptionError(
    '--clock-tolerance',
    `expected seconds from 0 to 300, got ${describeValue(text)}. Pass a number in that range.`,
  )
}

/** Reads the token. An empty pipe counts as no input, because schedulers start programs with one. */
async function readToken(name: string | undefined, terminal: Terminal): Promise<string> {
  if (name !== undefined) {
    const { [name]: token } = terminal.env
    if (token !== undefined) return token
    throw new OptionError(
      '--token-env',
      `expected a variable that is set, got ${describeValue(name)}. Export the token in it.`,
    )
  }
  const piped = await terminal.input(MAX_BYTES)
  if (piped !== undefined && piped.trim() !== '') return piped
  return terminal.env[TOKEN_VARIABLE] ?? (await terminal.secret('Token: ')) ?? ''
}

/** Converts times to epoch seconds, as in claims. */
function toJson({ now, ...explanation }: Explanation) {
  return { ...explanation, judgedAt: Math.floor(now / 1000) }
}
