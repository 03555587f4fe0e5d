/** `cognito-m2m local --trigger`: a module with the pre-token-generation trigger. */
import { join } from 'node:path'
import t from 'tap'
import { ask, decode, FORM } from '../../support/http.ts'
import { runLocal } from '../../support/local-pool.ts'

const BODY = `(event) => {
  event.response.claimsAndScopeOverrideDetails = {
    accessTokenGeneration: { claimsToAddOrOverride: { tenant: 'a' } },
  }
  return event
}`

t.test('handler, the default export, and exports of CommonJS', async (t) => {
  const modules: Record<string, string> = {
    'handler.mjs': `export const handler = async ${BODY}`,
    'default.mjs': `export default ${BODY}`,
    'common.cjs': `const { assign } = Object\nassign(exports, { handler: ${BODY} })`,
    'named.cjs': `exports.handler = ${BODY}`,
    'function.cjs': `module.exports = ${BODY}`,
  }
  const folder = t.testdir(modules)
  for (const name of Object.keys(modules)) {
    const { code, err, pool } = await runLocal(t, '--port', '0', '--trigger', join(folder, name))
    t.strictSame([code, err], [0, ''], name)
    const { json } = await ask(pool.port, {
      method: 'POST',
      path: '/oauth2/token',
      headers: { 'content-type': FORM },
      body: 'grant_type=client_credentials&client_id=reader&client_secret=reader-secret',
    })
    t.match(decode(String(json['access_token']), 1), { tenant: 'a', scope: 'orders/read' }, name)
  }
})

t.test('a wrong module has a one-line error with the fix', async (t) => {
  const folder = t.testdir({
    'empty.mjs': '',
    'other.mjs': 'export const run = () => {}\nexport default {}',
    'text.mjs': "export const handler = 'x'\nexport default null",
    'broken.mjs': 'export const handler =',
    'throws.mjs': "throw new Error('first line\\nsecond line')",
    'throws-nothing.mjs': 'throw undefined',
  })
  const cases: readonly (readonly [string, RegExp])[] = [
    ['absent.mjs', /expected the path of a module, got ".+", which does not exist\./],
    ['empty.mjs', /expected a module that exports a function handler, got no exports\. Export/],
    ['other.mjs', /exports a function handler, got default, run\. Export the trigger as handler\./],
    ['text.mjs', /exports a function handler, got default, handler\./],
    ['broken.mjs', /expected a module that can be imported, got the error "Unexpected/],
    ['throws.mjs', /got the error "first line"\. Run it with node to see the error\./],
    ['throws-nothing.mjs', /got the error "undefined"\./],
  ]
  for (const [name, message] of cases) {
    const { code, out, err } = await runLocal(t, '--trigger', join(folder, name))
    t.strictSame([code, out], [2, ''], name)
    t.match(err, message, name)
    t.match(err, /^cognito-m2m: --trigger: [^\n]+\n$/)
  }
})

t.test('neither a pool file nor a template names a module', async (t) => {
  const folder = t.testdir({ 'pool.json': '{"trigger":"./handler.mjs"}' })
  const { code, err } = await runLocal(t, '--config', join(folder, 'pool.json'))
  t.equal(code, 2)
  t.match(err, /pool\.json: trigger: expected one of .*, got an unknown name/)
})

t.test('a pool whose clients use GetClientToken only prints a request to it', async (t) => {
  const folder = t.testdir({
    'pool.json': JSON.stringify({
      port: 0,
      clients: [
        { clientId: 'api', clientSecrets: ["a'b"], flows: [], oauth: false, clientToken: true },
      ],
    }),
  })
  const { out, pool } = await runLocal(t, '--config', join(folder, 'pool.json'))
  t.match(out, `  user pools API   http://127.0.0.1:${pool.port}\n`)
  t.notMatch(out, 'cannot get a token')
  t.ok(
    out.includes(
      `  curl -s -H 'content-type: application/x-amz-json-1.1' -H 'x-amz-target: AWSCognitoIdentityProviderService.GetClientToken' -d '{"ClientId":"api","Secret":"a'\\''b"}' http://127.0.0.1:${pool.port}\n`,
    ),
    out,
  )
})
