/** The key sets a token is judged with: from a file, or by the one request that is made. */
import { createReadStream } from 'node:fs'
import { fetchJwks, type JwksError } from '../../../core/keys/fetch-jwks.ts'
import { importKeySet } from '../../../core/keys/jwk.ts'
import { readSecureUrl } from '../../../core/options/secure-url.ts'
import {
  checkIssuer,
  type IssuerForm,
  readUserPool,
  toIssuerForm,
} from '../../../core/options/user-pool.ts'
import { describeValue, OptionError } from '../../../core/options/validate.ts'
import { CommandFailure, EXIT } from '../../exit-codes.ts'
import { readInput } from '../../terminal/input.ts'
import type { Terminal } from '../../terminal/terminal.ts'

/** One form of an issuer. */
export type IssuerEndpoint = Pick<IssuerForm, 'issuer' | 'jwksUri'>

/** Whose tokens a token is held against, and where their keys are. */
export interface ExpectedIssuers {
  /** The one to ask first comes first. */
  readonly issuers: readonly IssuerEndpoint[]
  /** The issuers were named by the person, not by the token. */
  readonly isNamed: boolean
  /** Why no keys may be asked for there; undefined where they may. */
  readonly skipReason?: string
}

/** What names them. */
export interface IssuerFlags {
  readonly pool?: string
  /** Regions of the pool's replicas. */
  readonly regions?: readonly string[]
  readonly issuer?: string
  /** A file or an address with the key set, where it is not the issuer's own. */
  readonly jwks?: string
  readonly offline?: true
}

/** Stands for an issuer that can be no pool's. */
const INVALID_ISSUER = 'https://nowhere.invalid'
/** What may be a host of Cognito with a pool ID: the forms that follow from the ID tell whether it is. */
const COGNITO_ISSUER = /^https:\/\/(?:issuer-)?cognito-idp\.[a-z0-9.-]+\/([^/]+)$/

/**
 * Reads the flags. An issuer that only the token names is asked where it has Cognito's own host form:
 * any other URL is the choice of whoever made the token.
 *
 * @param claimed `iss` of the token.
 * @throws {OptionError}
 */
export function selectIssuers(
  { pool, regions, issuer, jwks, offline }: IssuerFlags,
  claimed: unknown,
): ExpectedIssuers {
  const skipped = offline === true ? { skipReason: 'no request was made (--offline)' } : {}
  const isFetched = jwks === undefined
  if (regions !== undefined && pool === undefined) {
    throw new OptionError(
      '--region',
      'expected --pool with this option, got none. Add --pool, or remove --region.',
    )
  }
  if (issuer !== undefined) {
    checkIssuer(issuer, '--issuer', isFetched)
    return { issuers: [toIssuerForm(issuer)], isNamed: true, ...skipped }
  }
  if (pool !== undefined) {
    return {
      issuers: sortClaimedFirst(listIssuerForms(pool, regions), claimed),
      isNamed: true,
      ...skipped,
    }
  }
  const text = typeof claimed === 'string' ? claimed : INVALID_ISSUER
  const own = findCognitoForms(text)
  if (own !== undefined) return { issuers: sortClaimedFirst(own, text), isNamed: false, ...skipped }
  const reason =
    "the issuer is not a Cognito host, so the command sends it no request; pass --jwks, --pool or --issuer"
  const known = isIssuer(text, isFetched) ? text : INVALID_ISSUER
  return { issuers: [toIssuerForm(known)], isNamed: false, skipReason: reason }
}

/** Both forms Cognito uses for the pool of `--pool`, the original first; those of its replicas behind. */
export function listIssuerForms(
  userPoolId: string,
  regions?: readonly string[],
): readonly IssuerEndpoint[] {
  try {
    const replicas = regions === undefined ? {} : { regions }
    const { issuers } = readUserPool({ userPoolId, clientId: null, ...replicas }, '')
    // One list, whose next form is asked where a form before is not the pool's.
    return issuers.map(({ issuer, jwksUri }) => ({ issuer, jwksUri }))
  } catch (error) {
    const { option, problem } = error as OptionError
    const isRegion = option.startsWith('regions')
    throw new OptionError(
      isRegion ? '--region' : '--pool',
      problem.replace(/\b(set) issuer\b/i, '$1 --issuer'),
    )
  }
}

/**
 * The forms of the pool an issuer names, of which it has to be one exactly; undefined where it is not. Those
 * of replicas are not among them: only the person knows whether the pool has any.
 */
function findCognitoForms(issuer: string): readonly IssuerEndpoint[] | undefined {
  const [, userPoolId] = COGNITO_ISSUER.exec(issuer) ?? []
  if (userPoolId === undefined) return undefined
  try {
    const forms = listIssuerForms(userPoolId)
    return forms.some((form) => form.issuer === issuer) ? forms : undefined
  } catch {
    return undefined
  }
}

function sortClaimedFirst(
  issuers: readonly IssuerEndpoint[],
  claimed: unknown,
): readonly IssuerEndpoint[] {
  return issuers.toSorted((a, b) => Number(b.issuer === claimed) - Number(a.issuer === claimed))
}

function isIssuer(text: string, isFetched: boolean): boolean {
  try {
    checkIssuer(text, 'iss', isFetched)
    return true
  } catch {
    return false
  }
}

/** Milliseconds of a request, as the middleware waits. */
const TIMEOUT_MS = 3000
/** Bytes of a file; Cognito's key sets are under 2 KiB. */
const MAX_BYTES = 256 * 1024

/** What an address answered. */
export type FetchedKeys = { readonly document: unknown } | { readonly error: JwksError }

/** See the module. */
export interface KeySets {
  /** Where the keys are from, as it was named. */
  readonly source: string
  /** What stands at the address of an issuer's keys; undefined where it was not asked. */
  get(jwksUri: string): FetchedKeys | undefined
}

/**
 * @param jwks A file, or a URL that is asked instead of the issuer's own.
 * @throws {OptionError} for a file that is no key set.
 */
export async function loadKeySets(
  expectedIssuers: ExpectedIssuers,
  jwks: string | undefined,
  terminal: Terminal,
): Promise<KeySets> {
  if (jwks !== undefined) {
    const fetched = isUrl(jwks)
      ? await fetchKeys(readSecureUrl(jwks, '--jwks').href, terminal)
      : { document: await readKeyFile(jwks, terminal.signal) }
    return { source: jwks, get: () => fetched }
  }
  const answers = new Map<string, FetchedKeys>()
  const asked = expectedIssuers.skipReason === undefined ? expectedIssuers.issuers : []
  for (const { jwksUri } of asked) {
    const answer = await fetchKeys(jwksUri, terminal)
    answers.set(jwksUri, answer)
    // The other form of a pool's issuer is asked only where this one is said not to be its own.
    if (!isNotFound(answer)) break
  }
  const source = [...answers.keys()].join(', ')
  return { source, get: (uri) => answers.get(uri) }
}

/** Whether `--jwks` names an address, not a file. */
export function isUrl(text: string): boolean {
  return /^https?:\/\//i.test(text)
}

/** The endpoint says that there is no such key set. */
export function isNotFound(answer: FetchedKeys): boolean {
  return 'error' in answer && (answer.error.status === 403 || answer.error.status === 404)
}

async function fetchKeys(uri: string, { fetch, signal, now }: Terminal): Promise<FetchedKeys> {
  try {
    return { document: await fetchJwks(uri, { fetch, timeoutMs: TIMEOUT_MS, signal, now }) }
  } catch (error) {
    if (signal.aborted) throw new CommandFailure(EXIT.interrupted, 'interrupted')
    return { error: error as JwksError }
  }
}

async function readKeyFile(file: string, signal: AbortSignal): Promise<unknown> {
  const document = parseJson(await readFileText(file, signal))
  if (importKeySet(document) !== undefined) return document
  throw new OptionError(
    '--jwks',
    `expected a JSON key set with a usable key, got ${describeValue(file)}. Pass the JWKS of the user pool.`,
  )
}

/** A stream, as the file may be a pipe: `--jwks <(curl …)`. */
async function readFileText(file: string, signal: AbortSignal): Promise<string> {
  try {
    const limits = { maxBytes: MAX_BYTES, signal, what: 'the file of --jwks' }
    return await readInput(createReadStream(file), limits)
  } catch (error) {
    if (error instanceof CommandFailure) throw error
    const { code } = error as NodeJS.ErrnoException
    throw new OptionError(
      '--jwks',
      `expected a readable file, got ${describeValue(file)} (${code}). Correct the path or the file.`,
    )
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
