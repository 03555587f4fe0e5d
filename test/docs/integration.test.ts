/** The lines of integration code on the page of each framework: counted in apps that answer alike. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { forged, pool, right, withAuth, wrongScope } from '../support/fastify.ts'
import type { IntegrationApp } from './integration/app.ts'
import * as fetchHandler from './integration/fetch.ts'
import * as hono from './integration/hono.ts'
import * as koa from './integration/koa.ts'
import * as lambda from './integration/lambda.ts'
import * as nestjs from './integration/nestjs.ts'

const FRAMEWORKS = { fetch: fetchHandler, hono, koa, lambda, nestjs }

const SENTENCE =
  /Integration code of a working app: (\d+) lines with `server\.guard\(\)` of the \[core\]\(core\.md\), (\d+) with this adapter\./

/** Lines between `// integration` and `// end`, without imports: before, and after. */
function countLines(file: string): number[] {
  const source = readFileSync(new URL(`integration/${file}.ts`, import.meta.url), 'utf8')
  return [...source.matchAll(/^ *\/\/ integration\n(.*?)^ *\/\/ end$/gms)].map(
    ([, code = '']) => code.trim().split('\n').length,
  )
}

async function answersOf(app: IntegrationApp) {
  const answers: unknown[] = []
  for (const authorization of [right, wrongScope, forged, undefined, `${right}, Basic YTpi`]) {
    const response = await app.ask(withAuth(authorization))
    const challenge = response.headers.get('www-authenticate')
    const control = response.headers.get('cache-control')
    answers.push([response.status, challenge, control, await response.json()])
  }
  await app.close()
  return answers
}

for (const [name, { before, after }] of Object.entries(FRAMEWORKS)) {
  t.test(`${name}: both apps answer alike, and the page has their lines`, async (t) => {
    const answers = await answersOf(await after(pool.options()))
    t.strictSame(answers, await answersOf(await before(pool.options())))
    t.match(answers, [
      [200, null, null, { caller: 'billing' }],
      [403, /insufficient_scope/, 'no-store', { code: 'ERR_SCOPE_INSUFFICIENT' }],
      [401, /invalid_token/, 'no-store', { code: 'ERR_TOKEN_SIGNATURE' }],
      [401, 'Bearer realm="api"', 'no-store', { code: 'ERR_TOKEN_MISSING' }],
      [400, /invalid_request/, 'no-store', { code: 'ERR_REQUEST_INVALID' }],
    ])
    const page = readFileSync(`docs/${name}.md`, 'utf8').replaceAll('\n', ' ')
    const [, ...counts] = SENTENCE.exec(page) ?? []
    t.strictSame(counts.map(Number), countLines(name))
  })
}
