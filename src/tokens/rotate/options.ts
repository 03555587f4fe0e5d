/** Options of a rotation, validated before the first step. */
import { setTimeout as wait } from 'node:timers/promises'
import {
  describeValue,
  type Members,
  OptionError,
  omitUndefined,
  readClientIds,
  readFunction,
  readMembers,
  readNumber,
} from '../../core/options/validate.ts'
import { wallClock } from '../../core/util/time.ts'
import { createTokenClient, type TokenClientOptions } from '../client/index.ts'
import type { UserPoolsApiOptions } from '../oauth/token-api-options.ts'
import { DEFAULT_GRACE, MAX_GRACE } from './limits.ts'
import type { ClientSecretStore, CognitoSecretOperations, RotationEvent } from './types.ts'

/** Options that {@link RotateClientSecretOptions} and the handler of Secrets Manager share. */
export interface RotationTargetOptions {
  /**
   * `new CognitoIdentityProvider({ region })` of `@aws-sdk/client-cognito-identity-provider`, or an object with its three
   * methods for client secrets.
   */
  readonly cognito: CognitoSecretOperations
  /** ID of the user pool, for example `eu-west-1_AbCdEfGhI`. */
  readonly userPoolId: string
  /** ID of the app client. It must have a secret. */
  readonly clientId: string
  /**
   * Token endpoint of each Region in which callers get tokens, at most two. The new secret is tested at each. Either this
   * or `userPoolsApi` is required.
   */
  readonly tokenEndpoint?: string | readonly string[]
  /** Like `tokenEndpoint`, for app clients whose callers use GetClientToken: `{ region }` or `{ endpoint }`. */
  readonly userPoolsApi?: UserPoolsApiOptions | readonly UserPoolsApiOptions[]
  /**
   * Seconds between the promotion and the deletion of the old secret, from 0 to 604,800. It must be longer than any
   * caller caches the secret. The token client loads it again only after Cognito rejected it, so it needs no minimum.
   *
   * @defaultValue `86_400`
   */
  readonly grace?: number
  /**
   * Transport of token requests.
   *
   * @defaultValue `globalThis.fetch`
   */
  readonly fetch?: typeof globalThis.fetch
  /**
   * Wall clock in milliseconds.
   *
   * @defaultValue `Date.now`
   */
  readonly now?: () => number
  /**
   * Waits between attempts and for the grace period.
   *
   * @defaultValue `setTimeout` of `node:timers/promises`
   */
  readonly sleep?: (milliseconds: number, signal: AbortSignal) => Promise<unknown>
}

/** Options of {@link rotateClientSecret}. */
export interface RotateClientSecretOptions extends RotationTargetOptions {
  /** Where callers load the secret: `secretsManagerStore`, `ssmStore` or an object with the three methods. */
  readonly store: ClientSecretStore
  /**
   * Reads the state and returns the steps of a run, without changing anything.
   *
   * @defaultValue `false`
   */
  readonly dryRun?: boolean
  /** Called at the start of each step. */
  readonly onStep?: (event: RotationEvent) => void
  /**
   * Stops the rotation before its next step. The call rejects with the signal's reason. Another run can resume at once.
   *
   * @defaultValue No signal
   */
  readonly signal?: AbortSignal
}

/** Names of {@link RotationTargetOptions}. */
export const TARGET_OPTION_NAMES = [
  'cognito',
  'userPoolId',
  'clientId',
  'tokenEndpoint',
  'userPoolsApi',
  'grace',
  'fetch',
  'now',
  'sleep',
] as const

const OPTION_NAMES = [...TARGET_OPTION_NAMES, 'store', 'dryRun', 'onStep', 'signal']

/** Where the new secret is tested. */
export type TokenApiOptions = Pick<TokenClientOptions, 'tokenEndpoint' | 'userPoolsApi'>

/** Validated options. */
export interface RotationOptions {
  readonly cognito: CognitoSecretOperations
  readonly store: ClientSecretStore
  readonly userPoolId: string
  readonly clientId: string
  readonly apis: readonly TokenApiOptions[]
  readonly graceS: number
  readonly onStep: (event: RotationEvent) => void
  readonly signal: AbortSignal
  readonly fetch: typeof globalThis.fetch | undefined
  /** Epoch seconds. */
  readonly now: () => number
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<unknown>
}

/** @throws {OptionError} `ERR_OPTION_INVALID`, naming the option and the fix. */
export function readRotateOptions(
  options: unknown,
): RotationOptions & { readonly dryRun: boolean } {
  const members = readMembers(options, OPTION_NAMES, '')
  const { dryRun = false, signal = new AbortController().signal } = members
  if (typeof dryRun !== 'boolean') {
    throw new OptionError(
      'dryRun',
      `expected a boolean, got ${describeValue(dryRun)}. Pass true or false.`,
    )
  }
  if (!(signal instanceof AbortSignal)) {
    throw new OptionError(
      'signal',
      `expected an AbortSignal, got ${describeValue(signal)}. Pass an AbortSignal or leave it out.`,
    )
  }
  return {
    ...readTargetOptions(members),
    store: readMethods<ClientSecretStore>(members['store'], 'store', [
      'get',
      'putPending',
      'promote',
    ]),
    dryRun,
    signal,
    onStep: readFunction(members, 'onStep') ?? (() => {}),
  }
}

/** @throws {OptionError} `ERR_OPTION_INVALID`. */
export function readTargetOptions(
  members: Members,
): Omit<RotationOptions, 'store' | 'signal' | 'onStep'> {
  const clientId = readClientId(members['clientId'])
  const fetch = readFunction<typeof globalThis.fetch>(members, 'fetch')
  const now = wallClock(readFunction(members, 'now') ?? Date.now)
  return {
    cognito: readMethods<CognitoSecretOperations>(members['cognito'], 'cognito', [
      'listUserPoolClientSecrets',
      'addUserPoolClientSecret',
      'deleteUserPoolClientSecret',
    ]),
    userPoolId: readUserPoolId(members['userPoolId']),
    clientId,
    apis: readApis(members, clientId),
    graceS: readNumber(members, 'grace', '', {
      defaultValue: DEFAULT_GRACE,
      min: 0,
      max: MAX_GRACE,
      unit: 'seconds',
    }),
    fetch,
    now: () => Math.floor(now() / 1000),
    sleep:
      readFunction(members, 'sleep') ??
      ((milliseconds, signal) =>
        // Its own rejection hides the reason of the signal.
        wait(milliseconds, undefined, { signal }).catch(() => signal.throwIfAborted())),
  }
}

/** Checks that an object has methods, own or inherited. */
export function readMethods<T>(value: unknown, option: string, names: readonly string[]): T {
  const object = Object(value) as Readonly<Record<string, unknown>>
  const missing = names.find((name) => typeof object[name] !== 'function')
  if (missing === undefined) return value as T
  throw new OptionError(
    option,
    `expected an object with the method ${missing}, got ${describeValue(value)}. Pass an object with ${names.join(', ')}.`,
  )
}

function readUserPoolId(value: unknown): string {
  if (typeof value === 'string' && /^[\w-]{1,55}_[0-9A-Za-z]+$/.test(value)) return value
  throw new OptionError(
    'userPoolId',
    `expected <region>_<letters and digits>, got ${describeValue(value)}. Pass the ID of the user pool.`,
  )
}

function readClientId(value: unknown): string {
  const [clientId] = readClientIds(value, 'clientId')
  if (clientId === value) return clientId as string
  throw new OptionError(
    'clientId',
    `expected one app client id, got ${describeValue(value)}. Pass the id as a string.`,
  )
}

/** Regions of a user pool: the primary and one replica. */
const MAX_REGIONS = 2

function readApis(members: Members, clientId: string): readonly TokenApiOptions[] {
  const { tokenEndpoint, userPoolsApi } = members
  if (tokenEndpoint !== undefined && userPoolsApi !== undefined) {
    throw new OptionError(
      'userPoolsApi',
      'expected tokenEndpoint or userPoolsApi, got both. Remove one of them.',
    )
  }
  const option = userPoolsApi === undefined ? 'tokenEndpoint' : 'userPoolsApi'
  const { [option]: value } = members
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (values.length === 0 || values.length > MAX_REGIONS) {
    throw new OptionError(
      option,
      `expected one or two, got ${values.length}. Pass one for each Region of the user pool.`,
    )
  }
  return values.map((it) => {
    const api = omitUndefined<TokenApiOptions>({ [option]: it } as TokenApiOptions)
    // The token client validates it. It has no timers and no connections while it is idle.
    createTokenClient({ ...api, clientId, clientSecret: 'unused' }).close()
    return api
  })
}
