/** The size of a Lambda authorizer in one file, minified: a cold start reads all of it. */
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { build } from 'esbuild'

/** Bytes. Lower it when the bundle gets smaller. */
const MAX_BYTES = 69_500

await build({
  stdin: {
    contents: "export { createLambdaAuthorizer } from 'cognito-m2m/lambda'",
    resolveDir: import.meta.dirname,
  },
  bundle: true,
  minify: true,
  platform: 'node',
  format: 'esm',
  outfile: 'lambda.mjs',
  logLevel: 'error',
})
const { size } = statSync('lambda.mjs')
assert(size <= MAX_BYTES, `Lambda bundle: expected at most ${MAX_BYTES} bytes, got ${size}`)
const { createLambdaAuthorizer } = await import('./lambda.mjs')
assert.throws(() => createLambdaAuthorizer({}), { code: 'ERR_OPTION_INVALID' })
