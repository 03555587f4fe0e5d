/** Checks RS256 signatures: synchronously, or in the thread pool if many arrive at once. */
import { type KeyObject, verify } from 'node:crypto'
import { promisify } from 'node:util'
import type { Jws } from './jws.ts'

const verifyInThreadPool = promisify(verify)

/**
 * Synchronous checks per turn of the event loop, minus those in the thread pool. A check takes about 20 µs. The
 * thread pool saves the event loop half of it or less, costs more in total, and adds latency. However, hundreds of
 * checks in one turn would delay all other requests while other cores are free: 32 take 0.6 ms. With 32 new tokens
 * at a time, a request costs 6 % less CPU than with a limit of 8, on one core and on two. Checks that are still in
 * the thread pool count too, so a burst that arrives over several turns stays there.
 */
const MAX_SYNCHRONOUS = 32

let synchronousCount = 0
let pooledCount = 0

function startTurn(): void {
  synchronousCount = 0
}

function endPooled(): void {
  pooledCount -= 1
}

/** Whether the key made the signature. Synchronous if few checks run at the time. */
export function isSignedBy(
  { signingInput, signature }: Jws,
  key: KeyObject,
): boolean | Promise<boolean> {
  const input = Buffer.from(signingInput, 'latin1')
  const bytes = Buffer.from(signature, 'base64url')
  if (synchronousCount + pooledCount >= MAX_SYNCHRONOUS) {
    pooledCount += 1
    const checked = verifyInThreadPool('sha256', input, key, bytes)
    checked.then(endPooled, endPooled)
    return checked
  }
  if (synchronousCount === 0) setImmediate(startTurn)
  synchronousCount += 1
  return verify('sha256', input, key, bytes)
}
