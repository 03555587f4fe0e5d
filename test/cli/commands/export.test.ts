import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join, relative } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { Validator } from '@seriousme/openapi-schema-validator'
import t from 'tap'
import type { Inspection } from '../../../src/cli/app-loader/inspection.ts'
import { renderFiles } from '../../../src/cli/commands/export.ts'
import { resolveOutputPaths, writeFiles } from '../../../src/cli/files/write.ts'
import {
  readOpenApi,
  readTemplate,
  type TemplateSource,
} from '../../../src/contract/infra/index.ts'
import { run } from '../../support/run-cli.ts'

// Modules run in child processes with the loaders of this one.
t.jobs = 3

const SOURCE = new URL('../../../src/', import.meta.url).href
const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))

const APP: Inspection = {
  routes: [
    { method: 'GET', path: '/health', auth: false },
    { method: 'GET', path: '/orders', auth: { scopes: ['orders/read', 'openid'] } },
    { method: 'POST', path: '/orders/:id', auth: { anyOf: ['orders/write', 'audit/all'] } },
    { method: 'ANY', path: '/orders/:key', auth: { optional: true } },
    {
      method: 'PUT',
      path: '/files/*/by/*',
      auth: { scopes: ['audit/all'], anyOf: ['orders/read', ['orders/write', 'audit/some']] },
    },
    { method: 'PROPFIND', path: '/dav', auth: {} },
    { method: 'GET', path: '/me', auth: {} },
  ],
  resourceServers: [
    { identifier: 'orders', scopes: { read: 'Read orders', write: 'Change orders' } },
  ],
}

const TOKEN_URL = 'https://orders.auth.eu-west-1.amazoncognito.com/oauth2/token'

t.test('a document of every route, valid, and it reads back as the same', async (t) => {
  const [file] = renderFiles(APP, { to: 'openapi', name: 'orders', tokenUrl: TOKEN_URL })
  const { file: name, text } = file as TemplateSource
  t.equal(name, 'openapi.json')
  const document = JSON.parse(text) as Record<string, Record<string, unknown>>
  t.match(await new Validator().validate(structuredClone(document)), { valid: true })
  t.match(document, {
    openapi: '3.1.0',
    info: { title: 'orders' },
    components: {
      securitySchemes: {
        cognito: {
          flows: {
            clientCredentials: {
              tokenUrl: TOKEN_URL,
              scopes: { 'orders/read': 'Read orders', 'audit/all': 'audit/all' },
            },
          },
        },
      },
    },
  })
  const { paths } = document as { paths: Record<string, Record<string, { responses: object }>> }
  t.strictSame(Object.keys(paths), [
    ...['/health', '/orders', '/orders/{id}', '/files/{rest}/by/{rest2}', '/me'],
  ])
  t.strictSame(paths['/orders/{id}']?.['parameters'], [
    { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
  ])
  t.strictSame(Object.keys(paths['/orders']?.['get']?.responses ?? {}), [
    ...['400', '401', '403', '503', '2XX'],
  ])
  const { responses } = document['components'] as { responses: Record<string, object> }
  t.strictSame(Object.keys(responses).sort(), [
    ...['Forbidden', 'Forbidden2', 'Forbidden3', 'Forbidden4', 'InvalidRequest', 'Success'],
    ...['Unauthorized', 'Unauthorized2', 'Unavailable'],
  ])
  t.strictSame(paths['/orders']?.['get']?.responses, {
    400: { $ref: '#/components/responses/InvalidRequest' },
    401: { $ref: '#/components/responses/Unauthorized' },
    403: { $ref: '#/components/responses/Forbidden' },
    503: { $ref: '#/components/responses/Unavailable' },
    '2XX': { $ref: '#/components/responses/Success' },
  })
  t.equal(text.split('The request does not carry exactly one bearer token.').length, 2, 'once')
  const routes = await readOpenApi({ file: 'openapi.json', text })
  const read = new Map(routes.map(({ method, path, auth }) => [`${method} ${path}`, auth]))
  t.strictSame(read.get('GET /health'), false)
  t.match(read.get('GET /orders'), { scopes: ['orders/read', 'openid'] })
  t.match(read.get('POST /orders/{id}'), { anyOf: ['orders/write', 'audit/all'] })
  t.match(read.get('PATCH /orders/{id}'), { optional: true })
  t.match(read.get('PUT /files/{rest}/by/{rest2}'), {
    anyOf: [
      ['audit/all', 'orders/read'],
      ['audit/all', 'orders/write', 'audit/some'],
    ],
  })
})

const dialects = { cloudformation: 'template.yaml', terraform: 'main.tf', sam: 'auth.yaml' }

for (const [to, name] of Object.entries(dialects)) {
  t.test(`${to}: templates with every scope, and the clients that are named`, async (t) => {
    const routes = APP.routes.slice(0, 3)
    const flags = { to, name: 'shop', domain: 'shop', client: ['audit', 'billing=orders/read'] }
    const files = renderFiles({ ...APP, routes }, flags)
    t.equal(files[0]?.file, name)
    const { clients, domains, resourceServers } = await readTemplate(files[0] as TemplateSource)
    t.strictSame(
      clients.map((it) => [it.name?.value, it.scopes?.items.map(({ value }) => value)]),
      [
        ['audit', ['orders/read', 'orders/write', 'audit/all']],
        ['billing', ['orders/read']],
      ],
    )
    t.equal(domains[0]?.domain?.value, 'shop-dev')
    t.strictSame(
      resourceServers.map(({ identifier }) => identifier?.value),
      ['orders', 'audit'],
    )
    const [alone] = renderFiles({ ...APP, routes }, { to })
    const model = await readTemplate(alone as TemplateSource)
    t.strictSame(
      model.clients.map((it) => it.name?.value),
      ['api'],
    )
  })
}

t.test('a stage, tags, an access log and throttling', async (t) => {
  const routes = APP.routes.slice(0, 3)
  const flags = { to: 'sam', stage: 'prod', tag: ['team=shop', 'note=a=b'] }
  const limits = { accessLogDays: '90', throttle: '50/100' }
  const [auth, api] = renderFiles({ ...APP, routes }, { ...flags, ...limits })
  t.match(auth?.text, 'Default: prod')
  t.match(auth?.text, 'note: "a=b"')
  t.match(api?.text, 'RetentionInDays: 90')
  t.match(api?.text, 'ThrottlingRateLimit: 50')
  t.match(api?.text, 'ThrottlingBurstLimit: 100')
})

t.test('an invalid value is reported with its flag', (t) => {
  const wrong: readonly [Parameters<typeof renderFiles>[1], RegExp][] = [
    [
      { to: 'terraform', name: 'a b' },
      /--name: expected 1 to 107 letters, digits, _ and -, not beginning with aws or ssm, got "a b"\./,
    ],
    [
      { to: 'terraform', domain: 'A' },
      /--domain: expected 1 to 42 lowercase letters, digits and hyphens, without aws, amazon and cognito, got "A"\./,
    ],
    [
      { to: 'terraform', client: ['a=orders/raed'] },
      /--client: expected a scope that a resource server defines, got "orders\/raed"\. Define the scope or correct the spelling\.$/,
    ],
    [
      { to: 'terraform', api: 'soap' },
      /--api: expected rest or http, got "soap"\. Choose one of the two\.$/,
    ],
    [{ to: 'terraform', stage: 'Prod' }, /--stage: expected 1 to 20 lowercase .*, got "Prod"\./],
    [
      { to: 'terraform', tag: ['team'] },
      /--tag: expected NAME=VALUE, got "team"\. Add the name\.$/,
    ],
    [{ to: 'terraform', tag: ['aws:a=b'] }, /--tag: expected keys of 1 to 128 .*, got "aws:a"\./],
    [
      { to: 'sam', accessLogDays: '31' },
      /--access-log-days: expected one of 1, 3, .*, got 31\. Choose one of these numbers of days\.$/,
    ],
    [
      { to: 'sam', throttle: '5' },
      /--throttle: expected requests per second and at once, such as 100\/200, got "5"\. Pass two numbers\.$/,
    ],
    [
      { to: 'sam', throttle: '0/5' },
      /--throttle: expected a whole number from 1 to 1000000, got 0\./,
    ],
    [{ to: 'openapi', tokenUrl: 'x' }, /--token-url: expected an https URL, got "x"\. /],
  ]
  for (const [flags, message] of wrong) {
    t.throws(() => renderFiles({ ...APP, routes: APP.routes.slice(0, 3) }, flags), { message })
  }
  const { routes } = APP
  const misspelt = [...routes, { method: 'GET', path: '/x', auth: { scopes: ['orders/raed'] } }]
  t.throws(() => renderFiles({ ...APP, routes: misspelt }, { to: 'terraform' }), {
    message:
      'GET /x: expected a scope of orders, got orders/raed. Define it or correct the spelling.',
  })
  const far = [{ method: 'GET', path: 'x', auth: false as const }]
  t.throws(() => renderFiles({ ...APP, routes: far }, { to: 'sam' }), {
    message: /apis\[0\]\.routes\[0\]/,
  })
  t.throws(() => renderFiles(null as never, { to: 'sam' }), TypeError)
  t.end()
})

t.test('either all files are written or none', (t) => {
  const folder = t.testdir({ old: 'old', taken: {}, linked: 'linked' })
  symlinkSync('linked', join(folder, 'link'))
  const before = { old: 'old', linked: 'linked' }
  const write = (names: readonly string[], force = false, signal = new AbortController().signal) =>
    writeFiles(
      names.map((name) => ({ file: join(folder, name), text: `new ${name}` })),
      { force, signal },
    )
  const rest = () =>
    Object.fromEntries(
      readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => [name, readFileSync(join(folder, name), 'utf8')]),
    )
  t.throws(() => write(['a', 'old']), {
    message: /--out: expected a new file, got ".*old", which exists\. Add --force to replace it\.$/,
  })
  t.throws(() => write(['a', 'absent/b']), {
    message:
      /--out: expected a writable path, got ".*b" \(ENOENT\)\. Correct the path or its permissions\.$/,
  })
  t.throws(() => write(['a', 'old', 'taken'], true), {
    message:
      /--out: expected a writable path, got ".*taken" \(E\w+\)\. Correct the path or its permissions\.$/,
  })
  t.throws(() => write(['a'], false, AbortSignal.abort()), {
    message: 'interrupted',
    exitCode: 130,
  })
  t.strictSame(rest(), before)
  const interruption = new AbortController()
  const late = {
    file: join(folder, 'late'),
    get text() {
      interruption.abort()
      return 'late'
    },
  }
  const first = { file: join(folder, 'first'), text: 'first' }
  t.throws(() => writeFiles([first, late], { force: false, signal: interruption.signal }), {
    message: 'interrupted',
  })
  t.throws(
    () => writeFiles(null as never, { force: false, signal: interruption.signal }),
    TypeError,
  )
  t.strictSame(rest(), before)
  write(['a', 'old', 'link'], true)
  t.strictSame(rest(), { a: 'new a', old: 'new old', linked: 'new link' })
  t.end()
})

const POOL = JSON.stringify({ userPoolId: 'eu-west-1_AbCdEfGhI', clientId: null })
const MODULE = `import express from 'express'
import { cognitoAuth } from '${SOURCE}adapters/express/index.ts'
const auth = cognitoAuth(${POOL})
export const app = express()
app.get('/orders', auth({ scopes: 'orders/read' }), (req, res) => res.json([]))
`
const SCOPES = `import { defineScopes } from '${SOURCE}index.ts'
export default [defineScopes('orders', { read: 'Read orders' })]
`

t.test('to standard output, into a folder, as JSON', async (t) => {
  const folder = relative('.', t.testdir({ 'app.js': MODULE, 'scopes.js': SCOPES }))
  const at = (name: string) => join(folder, name)
  const args = ['export', at('app.js'), '--scopes', at('scopes.js'), '--timeout', '500']
  const notice = `cognito-m2m: running ${at('app.js')} in a child process, for at most 500 s\n`
  const [printed, several, placed, named] = await Promise.all([
    run(args),
    run([...args, '--to', 'sam']),
    run([...args, '--to', 'sam', '--out', at('infra/'), '--json']),
    run([...args, '--to', 'terraform', '--name', 'orders', '--json']),
  ])
  t.match(printed, { code: 0, err: notice })
  t.match(JSON.parse(printed.out), {
    routes: [{ method: 'GET', path: '/orders', at: { file: at('app.js'), line: 5, column: 5 } }],
    scopes: [{ identifier: 'orders', scopes: { read: 'Read orders' } }],
  })
  t.match(several, {
    code: 2,
    out: '',
    err: /--out: expected a folder for 2 files, got none\. Pass a folder\.\n$/,
  })
  t.match(placed, { code: 0, err: notice })
  t.strictSame(JSON.parse(placed.out), {
    files: [{ file: at('infra/auth.yaml') }, { file: at('infra/api.yaml') }],
  })
  t.strictSame(readdirSync(at('infra')).sort(), ['api.yaml', 'auth.yaml'])
  const { files } = JSON.parse(named.out) as { files: TemplateSource[] }
  t.match(files, [{ file: 'main.tf', text: /"Read orders"/ }])
})

t.test('invalid usage: one line, and no module runs', async (t) => {
  const wrong: readonly [string[], RegExp][] = [
    [[], /MODULE: expected a module or --proxy, got none/],
    [['absent.js'], /MODULE: expected an existing file, got "absent\.js"\. Correct the path\.\n$/],
    [
      ['src/index.ts', '--scopes', 'absent.js'],
      /--scopes: expected an existing file, got "absent\.js"\. Correct the path\.\n$/,
    ],
    [
      ['a.js', '--to', 'xml'],
      /--to: expected one of routes, openapi, cloudformation, sam, terraform, got "xml"\. Choose one of these formats\.\n$/,
    ],
    [
      ['a.js', '--to', 'openapi'],
      /--token-url: expected a URL for --to openapi, got none\. Pass https:\/\/<domain>\/oauth2\/token\.\n$/,
    ],
    [
      ['a.js', '--timeout', 'x'],
      /--timeout: expected seconds above 0 and up to 600, got "x"\. Pass a number in that range\.\n$/,
    ],
  ]
  for (const [args, message] of wrong) {
    const { code, out, err } = await run(['export', ...args])
    t.strictSame([code, out], [2, ''])
    t.match(err, message)
  }
})

t.test('one file has the name that is given, or its own in a folder', (t) => {
  const folder = t.testdir({ file: '' })
  const files = [{ file: 'main.tf', text: 'text' }]
  const [other, file] = [join(folder, 'other'), join(folder, 'file')]
  t.strictSame(resolveOutputPaths(files, file), [{ file, text: 'text' }])
  t.strictSame(resolveOutputPaths(files, other), [{ file: other, text: 'text' }])
  t.strictSame(resolveOutputPaths(files, folder), [{ file: join(folder, 'main.tf'), text: 'text' }])
  t.strictSame(resolveOutputPaths(files, `${other}/`), [
    { file: join(other, 'main.tf'), text: 'text' },
  ])
  t.throws(() => resolveOutputPaths(files, join(file, 'x/')), {
    message:
      /^cognito-m2m: --out: expected a folder, got ".*file\/x\/?" \(ENOTDIR\)\. Correct the path\.$/,
  })
  t.end()
})

t.test('Ctrl-C while the module runs: nothing is written, nothing lives on', async (t) => {
  const folder = t.testdir({
    'app.js': `import { writeFileSync } from 'node:fs'
writeFileSync(new URL('./started', import.meta.url), '')
await new Promise(() => setInterval(() => {}, 1000))`,
  })
  const out = join(folder, 'routes.json')
  const args = [...process.execArgv, MAIN, 'export', join(folder, 'app.js'), '--out', out]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stderr, 'data')
  child.kill('SIGINT')
  t.strictSame(await once(child, 'close'), [130, null])
  t.strictSame(
    readdirSync(folder).filter((name) => !['app.js', 'started'].includes(name)),
    [],
  )
})
