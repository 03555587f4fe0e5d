/** Checks RS256 signatures: in line, or beside the event loop where many come at once. */
import { type KeyObject, verify } from 'node:crypto'
import { promisify } from 'node:util'
import type { Jws } from './jws.ts'

const verifyAside = promisify(verify)

/**
 * Checks that are done in line: of one turn of the event loop, less those that are under way aside. A
 * check takes some 20 µs; handing one to the thread pool and back takes a quarter of that from the
 * event loop and adds to the whole. So a few are fastest where they are, while a crowd (64 of them:
 * 1.3 ms) would keep everything else waiting and has other cores to go to. A crowd that comes a few a
 * turn is one all the same: until it is through, what comes next joins it.
 */
const MAX_IN_LINE = 8

let inLine = 0
let aside = 0

function nextTurn(): void {
  inLine = 0
}

function back(): void {
  aside -= 1
}

/** Whether the key made the signature; at once where few are asked for. */
export function isSignedBy(
  { signingInput, signature }: Jws,
  key: KeyObject,
): boolean | Promise<boolean> {
  const input = Buffer.from(signingInput, 'latin1')
  const bytes = Buffer.from(signature, 'base64url')
  if (inLine + aside >= MAX_IN_LINE) {
    aside += 1
    const checked = verifyAside('sha256', input, key, bytes)
    checked.then(back, back)
    return checked
  }
  if (inLine === 0) setImmediate(nextTurn)
  inLine += 1
  return verify('sha256', input, key, bytes)
}
