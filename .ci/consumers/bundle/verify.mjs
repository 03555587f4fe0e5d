/**
 * The bundled app must not start. A bundler that trusts `sideEffects: false` keeps what watches new
 * apps, so the route without protection is found.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'

const outcome = execFileSync(process.execPath, ['out.cjs'], { encoding: 'utf8' })
assert.match(
  outcome,
  /config\.auth of GET \/orders: expected a registration of cognitoAuth around the route, got none\./,
)
