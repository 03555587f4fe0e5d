/** Files of the page and of the chart library: types, caching and redirects. */
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

t.test('each file has its content type and an ETag', async (t) => {
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

t.test('a file that the browser has cached gets 304', async (t) => {
  const { headers } = await app.inject('/usage/main.js')
  const requestFile = (etag: unknown) =>
    app.inject({ url: '/usage/main.js', headers: { 'if-none-match': String(etag) } })
  const same = await requestFile(headers.etag)
  t.equal(same.statusCode, 304)
  t.equal(same.body, '')
  t.equal((await requestFile('"another"')).statusCode, 200)
})

t.test('every file that the page references exists, and none is on another host', async (t) => {
  const { body } = await app.inject('/usage/')
  const named = [...body.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, name]) => name as string)
  t.ok(named.length >= 5)
  for (const name of named) {
    t.match(name, /^[a-z]+\.[a-z]+$/)
    t.equal((await app.inject(`/usage/${name}`)).statusCode, 200, name)
  }
  t.notMatch(body, /\sstyle=|<script>|\son[a-z]+=/)
})

t.test('the path without a trailing slash redirects to the page, below any prefix', async (t) => {
  for (const url of ['/usage', '/usage?from=mail']) {
    const { statusCode, headers } = await app.inject(url)
    t.equal(statusCode, 302)
    t.equal(headers.location, './usage/')
    t.equal(headers['cache-control'], 'no-store')
  }
  t.equal(new URL('./usage/', 'https://ops.example.com/team/usage').pathname, '/team/usage/')
  t.equal((await app.inject('/usage/?from=mail')).statusCode, 200)
})

t.test('without uPlot, the registration fails', async (t) => {
  const missing = () => {
    throw new Error('MODULE_NOT_FOUND')
  }
  await t.rejects(readPageFiles(missing), {
    code: 'ERR_OPTION_INVALID',
    message:
      'cognito-m2m: usageDashboard: expected the peer dependency uplot, got none. Run npm install uplot.',
  })
})
