/** `cognito-m2m rotate`: rotates the secret of an app client. */
import { Command } from 'commander'
import { describeValue, OptionError } from '../../../core/options/validate.ts'
import { readUserPoolsEndpoint } from '../../../tokens/oauth/token-api-options.ts'
import {
  type RotateClientSecretOptions,
  type RotationEvent,
  type RotationResult,
  type RotationStep,
  rotateClientSecret,
} from '../../../tokens/rotate/index.ts'
import { CommandFailure, EXIT } from '../../exit-codes.ts'
import { collectValues } from '../../files/flags.ts'
import { formatJson } from '../../terminal/format.ts'
import type { Manual } from '../../terminal/help.ts'
import type { CommandContext, DocumentedCommand, Terminal } from '../../terminal/terminal.ts'
import { createCognito, createStore, type ImportPackage } from './aws-clients.ts'
import { toRotationFailure } from './failure.ts'

interface RotateFlags {
  readonly userPoolId: string
  readonly clientId: string
  readonly store: string
  readonly tokenUrl?: readonly string[]
  readonly region?: readonly string[]
  readonly endpointUrl?: string
  readonly kmsKeyId?: string
  readonly secretField?: string
  readonly grace: string
  readonly dryRun?: true
  readonly json?: true
}

/** @param importPackage Imports a package of the AWS SDK. */
export function rotateCommand(
  { terminal }: CommandContext,
  importPackage: ImportPackage = (name) => import(name),
): DocumentedCommand {
  const command = new Command('rotate')
    .description('rotate the secret of an app client without downtime')
    .requiredOption('--user-pool-id <id>', 'the user pool')
    .requiredOption('--client-id <id>', 'the app client')
    .requiredOption(
      '--store <store>',
      'where callers load the secret: secretsmanager:NAME or ssm:NAME',
    )
    .option(
      '--token-url <url>',
      'test the new secret at this token endpoint; repeat it for a second Region',
      collectValues,
    )
    .option(
      '--region <region>',
      'test the new secret with GetClientToken in this Region; repeat it for a second one',
      collectValues,
    )
    .option('--endpoint-url <url>', 'call the user pools API at this URL, for example a local pool')
    .option(
      '--secret-field <name>',
      'the member with the client secret, if secretsmanager: has JSON',
    )
    .option('--kms-key-id <id>', 'the KMS key of both parameters of ssm: (default: alias/aws/ssm)')
    .option(
      '--grace <duration>',
      'wait before the old secret is deleted: 0, 90s, 30m, 24h, 7d',
      '24h',
    )
    .option('--dry-run', 'print the steps, and change nothing')
    .option('--json', 'print JSON')
    .action(async (flags: RotateFlags) => {
      const result = await rotate(flags, terminal, importPackage)
      terminal.out(flags.json === true ? formatJson(toJson(flags, result)) : format(flags, result))
    })
  return { command, manual: MANUAL }
}

const MANUAL: Manual = {
  description: [
    'Saves a new secret as pending, adds it to the app client, and gets a token with it. Then makes it the current secret of the store, waits for the grace period, and deletes the old secret. Both secrets are valid in between, so callers see no error.',
    'After an error or Ctrl-C, run the same command again: it resumes. While another run is active, the command refuses to start. It deletes nothing if the store does not know which secret is old, or has the old one as its current secret again.',
    'It prints no secret. Packages of the AWS SDK are not installed with this one: install @aws-sdk/client-cognito-identity-provider, and @aws-sdk/client-secrets-manager or @aws-sdk/client-ssm. They find credentials as usual.',
    'Pass --token-url for app clients whose callers use /oauth2/token, or --region for GetClientToken.',
  ],
  environment: {
    AWS_REGION: "the Region of the store (default: that of its ARN, or the user pool's)",
  },
  exitStatus: {
    ok: 'the secret was rotated, or --dry-run printed the steps',
    refused: 'another run is active, the secrets do not match the store, or AWS rejected a request',
    unavailable: 'AWS did not respond',
    interrupted: 'interrupted by Ctrl-C; run it again to resume',
  },
  examples: [
    [
      'Rotate a secret that callers load from Secrets Manager:',
      'cognito-m2m rotate --user-pool-id eu-west-1_AbCdEfGhI --client-id 5kek0i61pgkokoob4fsm9fo9it --store secretsmanager:prod/orders-client --token-url https://shop.auth.eu-west-1.amazoncognito.com/oauth2/token',
    ],
    [
      'Print the steps for a secret in Parameter Store:',
      'cognito-m2m rotate --user-pool-id eu-west-1_AbCdEfGhI --client-id 5kek0i61pgkokoob4fsm9fo9it --store ssm:/prod/orders-client --region eu-west-1 --dry-run',
    ],
  ],
  seeAlso: [['Rotation, its IAM policy, and a function for Secrets Manager:', 'rotation.md']],
}

async function readFlags(
  flags: RotateFlags,
  terminal: Terminal,
  importPackage: ImportPackage,
): Promise<RotateClientSecretOptions> {
  const { userPoolId, clientId } = flags
  const grace = readDuration(flags.grace, '--grace')
  const endpointUrl =
    flags.endpointUrl === undefined
      ? undefined
      : readUserPoolsEndpoint(flags.endpointUrl, '--endpoint-url')
  const api = readTokenApi(flags, endpointUrl)
  const { fetch, now, signal } = terminal
  return {
    ...api,
    userPoolId,
    clientId,
    grace,
    dryRun: flags.dryRun === true,
    cognito: await createCognito({ userPoolId, endpointUrl }, importPackage),
    store: await createStore(flags, terminal, importPackage),
    fetch,
    now,
    signal,
    onStep: (event) => terminal.err(`cognito-m2m: ${describeStep(event)}\n`),
  }
}

function readTokenApi(
  { tokenUrl, region }: RotateFlags,
  endpointUrl: string | undefined,
): Pick<RotateClientSecretOptions, 'tokenEndpoint' | 'userPoolsApi'> {
  if (tokenUrl !== undefined && region !== undefined) {
    throw new OptionError(
      '--region',
      'expected --token-url or --region, got both. Pass the one that callers use.',
    )
  }
  if (tokenUrl !== undefined) return { tokenEndpoint: tokenUrl }
  if (region !== undefined) return { userPoolsApi: region.map((it) => ({ region: it })) }
  if (endpointUrl !== undefined) return { userPoolsApi: { endpoint: endpointUrl } }
  throw new OptionError(
    '--token-url',
    'expected --token-url, --region or --endpoint-url, got none. Pass where callers get tokens.',
  )
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** @returns Seconds. */
function readDuration(text: string, option: string): number {
  const [, digits, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const { [unit]: factor } = UNITS
  if (text === '0') return 0
  if (factor !== undefined) return Number(digits) * factor
  throw new OptionError(
    option,
    `expected 0 or a number with the unit s, m, h or d, got ${describeValue(text)}. Pass for example 24h.`,
  )
}

async function rotate(
  flags: RotateFlags,
  terminal: Terminal,
  importPackage: ImportPackage,
): Promise<RotationResult> {
  try {
    return await rotateClientSecret(await readFlags(flags, terminal, importPackage))
  } catch (error) {
    if (terminal.signal.aborted) throw new CommandFailure(EXIT.interrupted, 'interrupted')
    throw toRotationFailure(error)
  }
}

const STEPS: Readonly<Record<RotationStep, string>> = {
  pending: 'save a new secret as pending',
  add: 'add the new secret to the app client',
  test: 'get a token with the new secret',
  promote: 'make the new secret the current one',
  grace: 'wait for the grace period',
  delete: 'delete the old secret',
}

function describeStep({ step, until }: RotationEvent): string {
  return until === undefined
    ? STEPS[step]
    : `${STEPS[step]}, until ${new Date(until * 1000).toISOString()}`
}

function toJson({ userPoolId, clientId, dryRun }: RotateFlags, result: RotationResult): object {
  const { resumed, steps, secretId, oldSecretId } = result
  return { userPoolId, clientId, dryRun: dryRun === true, resumed, steps, secretId, oldSecretId }
}

function format(
  { dryRun }: RotateFlags,
  { steps, resumed, secretId, oldSecretId }: RotationResult,
): string {
  if (dryRun !== true) return `new secret ${secretId}, deleted secret ${oldSecretId}\n`
  const lines = steps.map((step) => `  ${STEPS[step]}\n`)
  const title = resumed ? 'would resume a rotation' : 'would start a rotation'
  return `${title} of secret ${oldSecretId}:\n${lines.join('')}`
}
