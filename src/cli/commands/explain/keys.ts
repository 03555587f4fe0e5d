/** Loads the key sets that verify a token, from a file or by request. */
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

/** Trusted issuers, with the URLs of their keys. */
export interface ExpectedIssuers {
  /** In the order of requests. */
  readonly issuers: readonly IssuerEndpoint[]
  /** Whether the issuers come from flags instead of the token. */
  readonly isNamed: boolean
  /** Why no request for keys is allowed. Undefined if it is allowed. */
  readonly skipReason?: string
}

/** Flags that select the issuers. */
export interface IssuerFlags {
  readonly pool?: string
  /** Regions of replicas of the pool. */
  readonly regions?: readonly string[]
  readonly issuer?: string
  /** A file or URL of the key set, instead of the key set of the issuer. */
  readonly jwks?: string
  readonly offline?: true
}

/** Placeholder for an issuer that no pool can have. */
const INVALID_ISSUER = 'https://nowhere.invalid'
/** A possible Cognito host with a pool ID. The forms derived from the ID confirm it. */
const COGNITO_ISSUER = /^https:\/\/(?:issuer-)?cognito-idp\.[a-z0-9.-]+\/([^/]+)$/

/**
 * Reads the flags. The issuer of the token gets a request only if it is a Cognito host, because the sender
 * of the token chooses any other URL.
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
  const forms = findCognitoForms(text)
  if (forms !== undefined)
    return { issuers: sortClaimedFirst(forms, text), isNamed: false, ...skipped }
  const reason =
    'the issuer is not a Cognito host, so the command sends it no request; pass --jwks, --pool or --issuer'
  const expected = isIssuer(text, isFetched) ? text : INVALID_ISSUER
  return { issuers: [toIssuerForm(expected)], isNamed: false, skipReason: reason }
}

/** Lists both issuer forms of the pool, the original first, then the forms of its replicas. */
export function listIssuerForms(
  userPoolId: string,
  regions?: readonly string[],
): readonly IssuerEndpoint[] {
  try {
    const replicas = regions === undefined ? {} : { regions }
    const { issuers } = readUserPool({ userPoolId, clientId: null, ...replicas }, '')
    // The next form gets a request if the pool does not have the previous one.
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
 * Finds the issuer forms of the pool that an issuer names. Undefined if the issuer is not one of them. Replicas
 * are not included, because the token does not prove that the pool has any.
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

/** Time limit of a request, the same as in the middleware. */
const TIMEOUT_MS = 3000
/** Size limit of a file. Key sets of Cognito are under 2 KiB. */
const MAX_BYTES = 256 * 1024

/** The response of a key set URL. */
export type FetchedKeys = { readonly document: unknown } | { readonly error: JwksError }

/** Loaded key sets by URL. */
export interface KeySets {
  /** The file or URLs of the keys. Empty if no request was sent. */
  readonly source: string
  /** Gets the response of the key set URL of an issuer. Undefined without a request. */
  get(jwksUri: string): FetchedKeys | undefined
}

/**
 * @param jwks A file or URL, instead of the key set of the issuer.
 * @throws {OptionError} for a file that is not a key set.
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
  const responses = new Map<string, FetchedKeys>()
  const requested = expectedIssuers.skipReason === undefined ? expectedIssuers.issuers : []
  for (const { jwksUri } of requested) {
    const response = await fetchKeys(jwksUri, terminal)
    responses.set(jwksUri, response)
    // The next form gets a request only if the pool does not have this one.
    if (!isNotFound(response)) break
  }
  const source = [...responses.keys()].join(', ')
  return { source, get: (uri) => responses.get(uri) }
}

/** Whether `--jwks` is a URL instead of a file. */
export function isUrl(text: string): boolean {
  return /^https?:\/\//i.test(text)
}

/** Whether the status says that the key set does not exist. */
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

/** Reads a stream, because the file may be a pipe: `--jwks <(curl …)`. */
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
