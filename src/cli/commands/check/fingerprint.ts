/** Identifies findings across runs, for baselines and SARIF: by code, resource and value, never by line. */
import { createHash } from 'node:crypto'
import type { Finding } from '../../../contract/infra/index.ts'

/** The members of a finding that identify it. */
export type FindingIdentity = Pick<Finding, 'code' | 'resource' | 'value'>

/** Characters of a fingerprint: 128 bits in hexadecimal. */
const FINGERPRINT_LENGTH = 32

/**
 * Computes a hash that stays the same when lines move, files are renamed or messages change. Findings with the same
 * code, resource and value share it.
 */
export function computeFingerprint({ code, resource, value }: FindingIdentity): string {
  const identity = JSON.stringify([code, normalize(resource), normalize(value ?? '')])
  return createHash('sha256').update(identity).digest('hex').slice(0, FINGERPRINT_LENGTH)
}

/** Ignores differences that an editor may add: white space around and Unicode composition. */
const normalize = (text: string): string => text.normalize('NFC').replaceAll(/\s+/g, ' ').trim()
