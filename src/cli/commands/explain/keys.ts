/** The key sets a token is judged with: from a file, or by the one request that is made. */
import { createReadStream } from 'node:fs'
import { fetchJwks, type JwksError } from '../../../core/keys/fetch-jwks.ts'
import { importKeySet } from '../../../core/keys/jwk.ts'
import { readSecureUrl } from '../../../core/options/secure-url.ts'
import { OptionError, show } from '../../../core/options/validate.ts'
import { CommandFailure, EXIT } from '../../exit-codes.ts'
import { readInput } from '../../terminal/input.ts'
import type { Terminal } from '../../terminal/terminal.ts'
import type { Trust } from './trust.ts'

/** Milliseconds of a request, as the middleware waits. */
const TIMEOUT = 3000
/** Bytes of a file; Cognito's key sets are under 2 KiB. */
const MAX_BYTES = 256 * 1024

/** What an address answered. */
export type FetchedKeys = { readonly document: unknown } | { readonly error: JwksError }

/** See the module. */
export interface KeySets {
  /** Where the keys are from, as it was named. */
  readonly source: string
  /** What stands at the address of an issuer's keys; undefined where it was not asked. */
  at(jwksUri: string): FetchedKeys | undefined
}

/**
 * @param jwks A file, or a URL that is asked instead of the issuer's own.
 * @throws {OptionError} for a file that is no key set.
 */
export async function obtainKeys(
  trust: Trust,
  jwks: string | undefined,
  terminal: Terminal,
): Promise<KeySets> {
  if (jwks !== undefined) {
    const fetched = isUrl(jwks)
      ? await fetchedFrom(readSecureUrl(jwks, '--jwks').href, terminal)
      : { document: await readKeyFile(jwks, terminal.signal) }
    return { source: jwks, at: () => fetched }
  }
  const answers = new Map<string, FetchedKeys>()
  const asked = trust.silent === undefined ? trust.issuers : []
  for (const { jwksUri } of asked) {
    const answer = await fetchedFrom(jwksUri, terminal)
    answers.set(jwksUri, answer)
    // The other form of a pool's issuer is asked only where this one is said not to be its own.
    if (!isAbsent(answer)) break
  }
  const source = [...answers.keys()].join(', ')
  return { source, at: (uri) => answers.get(uri) }
}

/** Whether `--jwks` names an address, not a file. */
export function isUrl(text: string): boolean {
  return /^https?:\/\//i.test(text)
}

/** The endpoint says that there is no such key set. */
export function isAbsent(answer: FetchedKeys): boolean {
  return 'error' in answer && (answer.error.status === 403 || answer.error.status === 404)
}

async function fetchedFrom(uri: string, { fetch, signal, now }: Terminal): Promise<FetchedKeys> {
  try {
    return { document: await fetchJwks(uri, { fetch, timeout: TIMEOUT, signal, now }) }
  } catch (error) {
    if (signal.aborted) throw new CommandFailure(EXIT.interrupted, 'interrupted')
    return { error: error as JwksError }
  }
}

async function readKeyFile(file: string, signal: AbortSignal): Promise<unknown> {
  const document = parsed(await contentOf(file, signal))
  if (importKeySet(document) !== undefined) return document
  throw new OptionError(
    '--jwks',
    `names ${show(file)}, which holds no usable key: pass a key set in JSON`,
  )
}

/** A stream, as the file may be a pipe: `--jwks <(curl …)`. */
async function contentOf(file: string, signal: AbortSignal): Promise<string> {
  try {
    const limits = { maxBytes: MAX_BYTES, signal, what: 'the file of --jwks' }
    return await readInput(createReadStream(file), limits)
  } catch (error) {
    if (error instanceof CommandFailure) throw error
    const { code } = error as NodeJS.ErrnoException
    throw new OptionError('--jwks', `names ${show(file)}, which cannot be read (${code})`)
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
