/** Validates documents, and reads operations from them. */
import { Validator } from '@seriousme/openapi-schema-validator'
import type { Test } from 'tap'
import type { OperationAccess } from '../../src/contract/openapi/index.ts'

export const TOKEN_URL = 'https://auth.example.com/oauth2/token'

/** Both versions, as documents name them. */
export const VERSIONS = ['3.0.3', '3.1.0'] as const

/** Fails where the document is not what its version says, or says another version. */
export async function isValid(t: Test, document: object, version: string): Promise<void> {
  const validator = new Validator()
  const { valid, errors } = await validator.validate(structuredClone({ ...document }))
  t.strictSame(errors, undefined, `${version} is valid`)
  t.ok(valid)
  t.equal(validator.version, version.slice(0, 3))
}

/** One operation of a document. */
export function operation(document: object, method: string, path: string): OperationAccess {
  const { paths } = document as { paths: Record<string, Record<string, OperationAccess>> }
  const found = paths[path]?.[method]
  if (found === undefined) throw new Error(`${method} ${path} is not in the document`)
  return found
}
