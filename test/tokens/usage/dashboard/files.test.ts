/** What the page is made of: its own files and the chart library's, kept by browsers but asked about. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import Fastify from 'fastify'
import t from 'tap'
import { readPageFiles } from '../../../../src/tokens/usage/dashboard/files.ts'
import { usageDashboard } from '../../../../src/tokens/usage/dashboard/index.ts'
import { seededUsage } from '../../../support/dashboard-data.ts'

const app = Fastify()
app.register(usageDashboard, {
  prefix: '/usage',
  usage: await seededUsage([]),
  authorize: () => true,
})

t.test('each file has its type, and a tag of its content', async (t) => {
  for (const [path, type, file] of [
    ['/', 'text/html; charset=utf-8', 'src/tokens/usage/dashboard/page/index.html'],
    ['/style.css', 'text/css; charset=utf-8', 'src/tokens/usage/dashboard/page/style.css'],
    ['/main.js', 'text/javascript; charset=utf-8', 'src/tokens/usage/dashboard/page/main.js'],
    ['/icon.svg', 'image/svg+xml', 'src/tokens/usage/dashboard/page/icon.svg'],
    ['/uplot.js', 'text/javascript; charset=utf-8', 'node_modules/uplot/dist/uPlot.iife.min.js'],
    ['/uplot.css', 'text/css; charset=utf-8', 'node_modules/uplot/dist/uPlot.min.css'],
  ] as const) {
    const { statusCode, headers, rawPayload } = await app.inject(`/usage${path}`)
    const content = await readFile(file)
    t.equal(statusCode, 200)
    t.ok(rawPayload.equals(content), path)
    t.equal(headers['content-type'], type)
    t.equal(headers['cache-control'], 'private, no-cache')
    t.equal(headers.etag, `"${createHash('sha256').update(content).digest('base64url')}"`)
  }
})

t.test('what the browser has is not sent again', async (t) => {
  const { headers } = await app.inject('/usage/main.js')
  const ask = (etag: unknown) =>
    app.inject({ url: '/usage/main.js', headers: { 'if-none-match': String(etag) } })
  const same = await ask(headers.etag)
  t.equal(same.statusCode, 304)
  t.equal(same.body, '')
  t.equal((await ask('"another"')).statusCode, 200)
})

t.test(
  'every file the page names is there, and nothing is named that lies elsewhere',
  async (t) => {
    const { body } = await app.inject('/usage/')
    const named = [...body.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, name]) => name as string)
    t.ok(named.length >= 5)
    for (const name of named) {
      t.match(name, /^[a-z]+\.[a-z]+$/)
      t.equal((await app.inject(`/usage/${name}`)).statusCode, 200, name)
    }
    t.notMatch(body, /\sstyle=|<script>|\son[a-z]+=/)
  },
)

t.test('the page is found without the last slash, whatever stands before it', async (t) => {
  for (const url of ['/usage', '/usage?from=mail']) {
    const { statusCode, headers } = await app.inject(url)
    t.equal(statusCode, 302)
    t.equal(headers.location, './usage/')
    t.equal(headers['cache-control'], 'no-store')
  }
  t.equal(new URL('./usage/', 'https://ops.example.com/team/usage').pathname, '/team/usage/')
  t.equal((await app.inject('/usage/?from=mail')).statusCode, 200)
})

t.test('without uPlot it does not start', async (t) => {
  const missing = () => {
    throw new Error('MODULE_NOT_FOUND')
  }
  await t.rejects(readPageFiles(missing), {
    code: 'ERR_OPTION_INVALID',
    message:
      'cognito-m2m: usageDashboard: expected the peer dependency uplot, got none. Run npm install uplot.',
  })
})
