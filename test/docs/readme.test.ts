/** The README: its length, the three answers that it shows, and the figures that it and bench/README.md quote. */
import { readdirSync, readFileSync } from 'node:fs'
import Fastify from 'fastify'
import t from 'tap'
import { cognitoAuth } from '../../src/adapters/fastify/index.ts'
import { createTestUserPool } from '../../src/testing/index.ts'
import { BenchmarkResults, RESULTS } from '../support/benchmark-results.ts'

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
  const results = new BenchmarkResults('node-22-cores-1')
  /** Fastify and Express, in the best configuration of each row. */
  const columns = (cached: string): readonly (readonly (string | undefined)[])[] => [
    ['cognito-m2m', 'cognito-m2m'],
    ['aws-jwt-verify by hand', 'aws-jwt-verify by hand'],
    [undefined, 'express-oauth2-jwt-bearer'],
    [`fastify-jwt-jwks${cached}`, undefined],
    ['jose by hand', 'jose by hand'],
  ]
  /** @param load Index of the column in the table of the results. */
  const measured = (framework: string, peer: string | undefined, load: number): string =>
    peer === undefined ? '–' : results.read(`${framework}: CPU per request, bare`, peer, load)
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

t.test('the benchmark page has the medians of every result', async (t) => {
  const page = readFileSync('bench/README.md', 'utf8')
  const folders = readdirSync(RESULTS).filter((name) => name.startsWith('node-'))
  t.ok(folders.length >= 6, 'three versions of Node.js, with one core and two')
  for (const folder of folders) {
    const results = new BenchmarkResults(folder)
    const [, version, cores] = /^node-(\d+)-cores-(\d)$/.exec(folder) ?? []
    const cells = ['Fastify', 'Express'].flatMap((framework) => {
      const warm = results.read(`${framework}: CPU per request, bare`, 'cognito-m2m', 0)
      const cold = ['cognito-m2m', 'aws-jwt-verify by hand'].map((peer) =>
        results.read(`${framework}: every token new`, peer, 0),
      )
      return [warm, ...cold]
    })
    const link = `[${version}, ${cores}](peers/results/${folder}/README.md)`
    t.match(page, `| ${[link, ...cells].join(' | ')} |`)
  }
})
