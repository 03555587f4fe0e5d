/** Checks RS256 signatures: in line, or beside the event loop where many come at once. */
import { type KeyObject, verify } from 'node:crypto'
import { promisify } from 'node:util'
import type { Jws } from './jws.ts'

const verifyAside = promisify(verify)

/**
 * Checks of one turn of the event loop that are done in line. A check takes some 20 µs; handing one to
 * the thread pool and back takes a quarter of that from the event loop and adds to the whole. So a
 * few are fastest where they are, while a crowd in one turn (64 of them: 1.3 ms) would keep
 * everything else waiting and has other cores to go to.
 */
const MAX_IN_LINE = 8

let inLine = 0

function nextTurn(): void {
  inLine = 0
}

/** Whether the key made the signature; at once where few are asked for. */
export function isSignedBy(
  { signingInput, signature }: Jws,
  key: KeyObject,
): boolean | Promise<boolean> {
  const input = Buffer.from(signingInput, 'latin1')
  const bytes = Buffer.from(signature, 'base64url')
  if (inLine === 0) setImmediate(nextTurn)
  inLine += 1
  return inLine > MAX_IN_LINE
    ? verifyAside('sha256', input, key, bytes)
    : verify('sha256', input, key, bytes)
}
