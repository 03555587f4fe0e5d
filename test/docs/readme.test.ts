/** The README: its length, the three answers that it shows, and the figures that it quotes from the benchmarks. */
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import t from 'tap'
import { cognitoAuth } from '../../src/adapters/fastify/index.ts'
import { createTestUserPool } from '../../src/testing/index.ts'

const readme = readFileSync('README.md', 'utf8')

t.test('it has at most 220 lines', async (t) => {
  t.ok(readme.split('\n').length <= 220)
})

t.test(
  'the answers without a token, without the scope and with both are those of the API',
  async (t) => {
    const clientId = '5kek0i61pgkokoob4fsm9fo9it'
    const pool = createTestUserPool({ clients: [{ clientId, scopes: ['orders/read'] }] })
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(cognitoAuth, pool.options())
    app.get('/orders', { config: { auth: { scopes: 'orders/read' } } }, async (request) => ({
      caller: request.auth.clientId,
    }))
    const tokens = [undefined, pool.accessToken({ scopes: 'orders/write' }), pool.accessToken()]
    const answers: string[] = []
    for (const token of tokens) {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
      const response = await app.inject({ url: '/orders', headers })
      const challenge = response.headers['www-authenticate']
      const lines = [`HTTP/1.1 ${response.statusCode} ${response.statusMessage}`]
      if (challenge !== undefined) lines.push(`www-authenticate: ${challenge}`)
      answers.push([...lines, '', response.body].join('\n'))
    }
    const [, shown] = /^```text\n(.*?)\n```$/ms.exec(readme) ?? []
    t.equal(shown, answers.join('\n\n'))
  },
)

t.test('the rows of CPU time are those of the last benchmark', async (t) => {
  const results = readFileSync('bench/peers/results/node-22-cores-1/README.md', 'utf8')
  /** Fastify and Express, in the best configuration of each row. */
  const columns = (cached: string): readonly (readonly (string | undefined)[])[] => [
    ['cognito-m2m', 'cognito-m2m'],
    ['aws-jwt-verify by hand', 'aws-jwt-verify by hand'],
    [undefined, 'express-oauth2-jwt-bearer'],
    [`fastify-jwt-jwks${cached}`, undefined],
    ['jose by hand', 'jose by hand'],
  ]
  /** @param load Index of the column in the table of the results. */
  const measured = (framework: string, peer: string | undefined, load: number): string => {
    if (peer === undefined) return '–'
    const [, table = ''] = results.split(`### ${framework}: CPU per request, bare`)
    const row = table.split('\n').find((line) => line.startsWith(`| ${peer} |`)) ?? ''
    return row.split('|')[2 + load]?.trim().split(' ')[0] ?? ''
  }
  for (const [row, load, cached] of [
    ['200 clients, Fastify / Express', 0, ', cache'],
    ['every token new, Fastify / Express', 2, ''],
  ] as const) {
    const line = readme.split('\n').find((it) => it.startsWith(`| ${row} |`)) ?? ''
    const cells = line
      .split('|')
      .slice(2, 7)
      .map((cell) => cell.replaceAll('*', '').trim())
    const expected = columns(cached).map(
      ([fastify, express]) =>
        `${measured('Fastify', fastify, load)} / ${measured('Express', express, load)}`,
    )
    t.strictSame(cells, expected, row)
  }
  const best = measured('Fastify', 'fast-jwt by hand, cache', 0)
  t.ok(readme.replaceAll(/\s+/g, ' ').includes(`fast-jwt by hand with a cache reaches ${best} for`))
})
