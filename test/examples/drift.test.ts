/**
 * examples/drift: each drift is found where its mark stands and nowhere else, as the README shows, and nothing
 * in the clean twins. That these pass AWS's own validator is held where its engine is made anyway, in
 * test/contract/infra/render/render-template.test.ts.
 */

import { once } from 'node:events'
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, relative } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { runProgram } from '../../src/cli/program.ts'
import { CHECK_CODES } from '../../src/contract/infra/check/finding.ts'
import type { CognitoAuthOptions } from '../../src/index.ts'
import type { LocalUserPool } from '../../src/testing/index.ts'
import { run } from '../support/run-cli.ts'
import { testTerminal } from '../support/terminal.ts'

const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly exports: Readonly<Record<string, { readonly default: string }>>
}

// Apps are looked at in processes of their own, with the loaders of this one.
t.jobs = 2

/** A copy beside this checkout's modules, whose apps import its source: nothing is built for tests. */
const folder = relative('.', t.testdir())
cpSync('examples/drift', folder, { recursive: true })
for (const file of filesOf(folder, /\.js$/)) {
  const text = readFileSync(file, 'utf8').replaceAll(
    /'cognito-m2m(\/\w+)?'/g,
    (_, subpath = '') => `'${sourceOf(`.${subpath}`)}'`,
  )
  writeFileSync(file, text)
}
// An app takes it from its environment, and so does one that is only looked at.
process.env['USER_POOL_ID'] = 'eu-west-1_AbCdEfGhI'
t.teardown(() => {
  delete process.env['USER_POOL_ID']
})

/** The source of a subpath of the package. */
function sourceOf(subpath: string): string {
  const built = exports[subpath]?.default ?? ''
  const source = built.replace(/^\.\/dist\//, '../../src/').replace(/\.js$/, '.ts')
  return new URL(source, import.meta.url).href
}

function filesOf(path: string, ending: RegExp): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((file) => ending.test(file))
    .sort()
    .map((file) => join(path, file))
}

/** `# drift: CODE at TEXT`, several after commas: where TEXT begins on the line, the quote before it too. */
function marks(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((text, index) => {
      const [before, mark] = text.split(/(?:#|\/\/) drift: /) as [string, string?]
      return (mark?.split(', ') ?? []).map((one) => {
        const [code, literal] = one.split(' at ') as [string, string]
        const start = before.indexOf(literal)
        const column = /["'`]/.test(before[start - 1] ?? '') ? start : start + 1
        return `${relative(folder, file)}:${index + 1}:${column} ${code}`
      })
    })
}

/** Runs a line of the README in the copy. */
async function check(line: string) {
  const args = [...line.split(' ').slice(2), '--timeout', '500']
  const paths = args.map((arg) =>
    /^(?:sam|terraform|express)\//.test(arg) ? join(folder, arg) : arg,
  )
  const { code, out } = await run(paths)
  return { code, out: out.replaceAll(`${folder}/`, '') }
}

const readme = readFileSync('examples/drift/README.md', 'utf8')
const shown = [
  ...readme.matchAll(/```sh\n(npx cognito-m2m check [^\n]*)\n```\n\n```text\n(.*?)```/gs),
]

t.test('every code there is has its drift', async (t) => {
  const marked = filesOf(folder, /\.(?:yaml|tf|js)$/).flatMap(marks)
  // Of an app alone, or no drift: no template is needed for them, and they have tests elsewhere.
  const others = /^(?:route-unprotected|suppression-.+|baseline-.+|not-evaluated)$/
  // Of one template alone: nothing drifts from another source. docs/check-codes.md shows each of them.
  const ofTemplates: readonly string[] = [
    ...['client-no-scopes', 'flow-invalid', 'pool-no-domain', 'trigger-version'],
    ...['transform-missing', 'key-repeated', 'identifier-repeated'],
  ]
  const drifts = CHECK_CODES.filter(
    (code) => !others.test(code) && !ofTemplates.includes(code),
  ).sort()
  t.strictSame([...new Set(marked.map((mark) => mark.split(' ')[1]))].sort(), drifts)
  t.equal(shown.length, 3)
})

for (const [, line = '', output = ''] of shown) {
  const [name = ''] = /\w+(?=\/drifted)/.exec(line) ?? []
  t.test(
    `${name}: drifts are found where they are marked, and none in the clean twin`,
    async (t) => {
      const { code, out } = await check(line)
      t.equal(out, output, 'as the README shows')
      t.equal(code, 1)
      t.strictSame(
        [...out.matchAll(/^(\S+:\d+:\d+): \w+ ([a-z-]+) /gm)]
          .map(([, place, found]) => `${place} ${found}`)
          .sort(),
        filesOf(join(folder, name, 'drifted'), /\.(?:yaml|tf|js)$/)
          .flatMap(marks)
          .sort(),
      )
      t.strictSame(await check(line.replaceAll('drifted', 'clean')), { code: 0, out: '' })
    },
  )
}

/** The pool of a clean template, as the command serves it, and who asks an API there. */
async function serve(t: Test, ...templates: string[]) {
  const pools: LocalUserPool[] = []
  t.teardown(() => Promise.all(pools.map((pool) => pool.close())))
  const terminal = testTerminal()
  const args = [
    'local',
    '--port',
    '0',
    '--json',
    '--template',
    ...templates.map((file) => join(folder, file)),
  ]
  t.equal(await runProgram(args, terminal, (pool) => pools.push(pool)), 0)
  const { tokenEndpoint, clients } = JSON.parse(terminal.written().out) as {
    readonly tokenEndpoint: string
    readonly clients: readonly { clientId: string; clientSecret: string }[]
  }
  async function tokenOf(client: string): Promise<string> {
    const { clientSecret = '' } = clients.find(({ clientId }) => clientId === client) ?? {}
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: client,
      client_secret: clientSecret,
    })
    const response = await fetch(tokenEndpoint, { method: 'POST', body })
    return ((await response.json()) as { access_token: string }).access_token
  }
  const [pool] = pools as [LocalUserPool]
  return {
    options: pool.options(),
    /** The status that an API answers a client with. */
    ask: async (origin: string, client: string, method: string, path: string) => {
      const headers = {
        authorization: `Bearer ${await tokenOf(client)}`,
        'content-type': 'application/json',
      }
      const body = method === 'POST' ? '{"item":"Tea"}' : null
      return (await fetch(`${origin}${path}`, { method, headers, body })).status
    },
  }
}

type App = RequestListener & { ready(): Promise<void>; routing: RequestListener }

/** What a module makes with this pool, listening. */
async function listen(t: Test, file: string, options: CognitoAuthOptions): Promise<string> {
  const { createApp } = await import(pathToFileURL(join(folder, file)).href)
  const app = (await createApp(options)) as App
  if ('ready' in app) await app.ready()
  const server = createServer('routing' in app ? app.routing : app).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('the clean Express twin serves the clients of its template', async (t) => {
  const { options, ask } = await serve(t, 'express/clean/template.yaml')
  const api = await listen(t, 'express/clean/app.js', options)
  t.equal((await fetch(`${api}/health`)).status, 200)
  t.equal((await fetch(`${api}/orders`)).status, 401)
  t.equal(await ask(api, 'storefront', 'POST', '/orders'), 201)
  t.equal(await ask(api, 'storefront', 'GET', '/orders/2'), 200)
  t.equal(await ask(api, 'storefront', 'GET', '/orders/2/label'), 200)
  t.equal(await ask(api, 'controlling', 'POST', '/orders'), 403)
  t.equal(await ask(api, 'controlling', 'GET', '/reports/daily'), 200)
})

t.test('the clean Fastify twin serves the clients of its auth stack', async (t) => {
  const { options, ask } = await serve(t, 'sam/clean/auth.yaml', 'sam/clean/api.yaml')
  const api = await listen(t, 'sam/clean/app.js', options)
  t.equal((await fetch(`${api}/orders`)).status, 401)
  t.equal(await ask(api, 'storefront', 'POST', '/orders'), 201)
  t.equal(await ask(api, 'billing', 'POST', '/orders'), 403)
  t.equal(await ask(api, 'billing', 'GET', '/orders'), 200)
  t.equal(await ask(api, 'data-lake', 'GET', '/exports/today'), 200)
  t.equal(await ask(api, 'data-lake', 'GET', '/orders'), 403)
})
