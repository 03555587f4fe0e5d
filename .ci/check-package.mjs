/**
 * Packs the tarball and uses it as a stranger would: what is in it, and whether an ESM, a CommonJS,
 * a TypeScript and a Jest consumer get along with it, each subpath with its own peer alone.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ALLOWED =
  /^(?:dist\/.+\.(?:js|d\.ts|map)|src\/.+\.ts|(?:dist|src)\/tokens\/usage\/dashboard\/page\/[a-z]+\.(?:html|css|js|svg)|schemas\/[a-z]+\.json|package\.json|README\.md|CHANGELOG\.md|SECURITY\.md|LICENSE)$/
const INSTALL_SCRIPTS = [
  'preinstall',
  'install',
  'postinstall',
  'prepare',
  'preprepare',
  'postprepare',
]
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----|"(?:d|dp|dq|qi)"\s*:\s*"[A-Za-z0-9_-]{40,}"/

const root = process.cwd()
/** The compiler is no matter of the consumer's: one is enough for all of them. */
const TSC = join(root, 'node_modules/.bin/tsc')
const work = mkdtempSync(join(tmpdir(), 'cognito-m2m-package-'))
const run = (command, args, cwd, options = {}) =>
  execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    ...options,
  })

function check(condition, problem) {
  if (!condition) throw new Error(`package: ${problem}`)
}

function checkContents(tarball) {
  const files = run('tar', ['-tzf', tarball], work).trim().split('\n')
  for (const file of files) {
    check(ALLOWED.test(file.replace(/^package\//, '')), `${file} is not on the list of files`)
  }
  run('tar', ['-xzf', tarball], work)
  for (const file of files) {
    check(!PRIVATE_KEY.test(readFileSync(join(work, file), 'utf8')), `${file} holds a private key`)
  }
  const { scripts } = JSON.parse(readFileSync(join(work, 'package/package.json'), 'utf8'))
  for (const script of INSTALL_SCRIPTS)
    check(!(script in scripts), `script ${script} runs on install`)
  return files.length
}

const installed = new Map()

/** What consumers with the same dependencies have in common: it is installed once. */
function install(tarball, dependencies) {
  const key = dependencies.join()
  if (!installed.has(key)) {
    const folder = join(work, `installed-${installed.size}`)
    mkdirSync(folder)
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true }))
    run(
      'npm',
      [
        'install',
        '--prefer-offline',
        '--no-audit',
        '--no-fund',
        '--no-save',
        tarball,
        ...dependencies,
      ],
      folder,
    )
    installed.set(key, join(folder, 'node_modules'))
  }
  return installed.get(key)
}

/** A project that installs the tarball and only what it names. */
function consumer(name, tarball, { dependencies = [], manifest = {}, files = {} }) {
  const folder = join(work, name)
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, private: true, ...manifest }))
  symlinkSync(install(tarball, dependencies), join(folder, 'node_modules'))
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text)
  return folder
}

const version = (name) =>
  JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version

function checkRuntimes(tarball) {
  const body = `
    const pool = createTestUserPool()
    const authorizer = createLambdaAuthorizer({ ...pool.options(), routes: {}, default: {}, resultTtl: 0 })
    authorizer({
      type: 'TOKEN',
      methodArn: 'arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/GET/',
      authorizationToken: \`Bearer \${pool.accessToken()}\`,
    }).then(({ principalId }) => { if (principalId !== pool.clients[0].clientId) throw new Error(principalId) })
    startUserPool().then(async (local) => {
      const { clientId, clientSecrets: [clientSecret] } = local.clients[0]
      const { tokenEndpoint } = local
      const { accessToken } = await createTokenClient({ tokenEndpoint, clientId, clientSecret }).getToken()
      if (accessToken.split('.').length !== 3) throw new Error('token')
      await local.close()
    })
    const behind = Fastify()
    behind.register(tokenProxy, {
      tokenEndpoint: 'https://a/oauth2/token',
      fetch: async () => Response.json({ access_token: 'a', expires_in: 300, token_type: 'Bearer' }),
    })
    const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'a', client_secret: 'b' })
    behind
      .inject({
        method: 'POST',
        url: '/oauth2/token',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        payload: String(form),
      })
      .then(({ statusCode, body }) => { if (statusCode !== 200) throw new Error(body) })
    const web = express()
    web.get('/', auth(pool.options())(), (req, res) => res.end(getAuth(req).clientId))
    const server = web.listen(0, '127.0.0.1', async () => {
      const ask = (headers) => fetch(\`http://127.0.0.1:\${server.address().port}/\`, { headers })
      const passed = await (await ask({ authorization: \`Bearer \${pool.accessToken()}\` })).text()
      if (passed !== pool.clients[0].clientId || (await ask({})).status !== 401) throw new Error(passed)
      server.close()
    })
    const app = Fastify()
    const described = { tokenUrl: 'https://a.example/oauth2/token', scopes: [] }
    app.register(cognitoOpenApi, described)
    app.register(cognitoAuth, pool.options())
    const usage = createUsage({ price: { currency: 'USD', tiers: [{ price: 2.25 }] } })
    app.ready(() => usage.attach(app.cognito))
    app.addHook('onClose', () => usage.close())
    app.register(async (api) => { api.get('/', async (request) => request.auth.clientId) })
    app.ready(() => {
      const { security } = app.swagger().paths['/'].get
      const wanted = openApiParts(described).access({}).security
      if (JSON.stringify(security) !== JSON.stringify(wanted)) throw new Error('openapi')
    })
    app.inject({ url: '/', headers: { authorization: \`Bearer \${pool.accessToken()}\` } })
      .then(({ statusCode, body }) => {
        if (statusCode !== 200 || body !== pool.clients[0].clientId) throw new Error(body)
        return app.inject('/')
      })
      .then(({ statusCode }) => { if (statusCode !== 401) throw new Error('open') })
      .then(() => usage.report())
      .then(({ rows: [{ clientId, requests }] }) => {
        if (clientId !== pool.clients[0].clientId || requests.accepted !== 1) throw new Error('not counted')
        return app.close()
      })`
  const folder = consumer('runtimes', tarball, {
    dependencies: ['fastify', 'express', '@fastify/swagger'].map((it) => `${it}@${version(it)}`),
    files: {
      'esm.mjs': `
        import Fastify from 'fastify'
        import { createResourceServer } from 'cognito-m2m'
        import cognitoAuth, { cognitoAuth as named } from 'cognito-m2m/fastify'
        import express from 'express'
        import { cognitoAuth as auth, getAuth } from 'cognito-m2m/express'
        import 'cognito-m2m/express/global'
        import { createLambdaAuthorizer } from 'cognito-m2m/lambda'
        import { openApiParts } from 'cognito-m2m/openapi'
        import { cognitoOpenApi } from 'cognito-m2m/openapi/fastify'
        import { createTokenClient } from 'cognito-m2m/client'
        import { createTestUserPool, startUserPool } from 'cognito-m2m/testing'
        import { createUsage } from 'cognito-m2m/usage'
        import { tokenProxy } from 'cognito-m2m/proxy'
        if (cognitoAuth !== named || typeof createResourceServer !== 'function') throw new Error('exports')
        ${body}`,
      'commonjs.cjs': `
        const Fastify = require('fastify')
        const { createResourceServer } = require('cognito-m2m')
        const { cognitoAuth } = require('cognito-m2m/fastify')
        const express = require('express')
        const { cognitoAuth: auth, getAuth } = require('cognito-m2m/express')
        const { createLambdaAuthorizer } = require('cognito-m2m/lambda')
        const { openApiParts } = require('cognito-m2m/openapi')
        const { cognitoOpenApi } = require('cognito-m2m/openapi/fastify')
        const { createTokenClient } = require('cognito-m2m/client')
        const { createTestUserPool, startUserPool } = require('cognito-m2m/testing')
        const { createUsage } = require('cognito-m2m/usage')
        const { tokenProxy } = require('cognito-m2m/proxy')
        if (typeof createResourceServer !== 'function') throw new Error('exports')
        ${body}`,
    },
  })
  run('node', ['esm.mjs'], folder)
  run('node', ['commonjs.cjs'], folder)
  const told = run('npx', ['cognito-m2m', '--version'], folder).trim()
  check(told === JSON.parse(readFileSync('package.json', 'utf8')).version, `bin says ${told}`)
}

/** How a TypeScript project may find the package; every subpath is exported alike. */
const RESOLUTIONS = {
  nodenext: { module: 'nodenext' },
  node20: { module: 'node20' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
}

/**
 * Each source as ESM and CommonJS; `skipLibCheck` off, so that every declaration the subpaths name has to be
 * there. Those that add to no type of others share a program: most of its time goes to what all of them need.
 */
function checkTypes(tarball, name, sources, dependencies, resolutions = ['nodenext']) {
  const files = {}
  for (const [subpath, source] of Object.entries(sources)) {
    files[`${subpath}.ts`] = source
    files[`${subpath}.cts`] = source
  }
  const folder = consumer(`types-${name}`, tarball, {
    dependencies: [`@types/node@${version('@types/node')}`, ...dependencies],
    manifest: { type: 'module' },
    files,
  })
  for (const resolution of resolutions) {
    const compilerOptions = {
      ...RESOLUTIONS[resolution],
      strict: true,
      target: 'es2023',
      noEmit: true,
      skipLibCheck: false,
      types: ['node'],
    }
    const include = resolution === 'bundler' ? ['*.ts'] : ['*.ts', '*.cts']
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include }))
    run(TSC, ['-p', '.'], folder, { stdio: ['ignore', 'inherit', 'inherit'] })
  }
}

/** Serves its page from the installed package; without the chart library it says what is missing. */
function checkDashboard(tarball) {
  const source = `
    import Fastify from 'fastify'
    import { createUsage } from 'cognito-m2m/usage'
    import { usageDashboard } from 'cognito-m2m/usage/dashboard'
    const usage = createUsage({ price: { currency: 'USD', tiers: [{ price: 2.25 }] } })
    const app = Fastify()
    const asked = process.argv.slice(2)
    try {
      await app.register(usageDashboard, { prefix: '/usage', usage, authorize: () => true })
      for (const path of asked) {
        const { statusCode } = await app.inject('/usage/' + path)
        if (statusCode !== 200) throw new Error(path + ' is answered ' + statusCode)
      }
    } catch ({ message }) {
      process.stdout.write(message)
    }
    await usage.close()`
  const fastify = `fastify@${version('fastify')}`
  const files = { 'main.mjs': source }
  const bare = consumer('dashboard-bare', tarball, { dependencies: [fastify], files })
  const refused = run('node', ['main.mjs'], bare)
  check(refused.endsWith('npm install uplot'), `the dashboard without uplot says ${refused}`)
  const dependencies = [fastify, `uplot@${version('uplot')}`]
  const whole = consumer('dashboard', tarball, { dependencies, files })
  const paths = ['', 'main.js', 'style.css', 'uplot.js', 'uplot.css', 'data.json', 'usage.csv']
  const told = run('node', ['main.mjs', ...paths], whole)
  check(told === '', `the dashboard: ${told}`)
}

/**
 * A bundler that trusts `sideEffects: false` keeps what watches new apps: a route that was declared before
 * the registration, and that it does not reach, must stop the bundled app from starting.
 */
function checkBundle(tarball) {
  const folder = consumer('bundled', tarball, {
    dependencies: ['esbuild@0.28', `fastify@${version('fastify')}`],
    files: {
      'main.mjs': `
        import Fastify from 'fastify'
        import { cognitoAuth } from 'cognito-m2m/fastify'
        const app = Fastify()
        app.get('/orders', { config: { auth: {} } }, async () => 'reached')
        app.register(async (child) => {
          await child.register(cognitoAuth, { userPoolId: 'eu-west-1_AbCdEfGhI', clientId: null, allowNoRoutes: true })
        })
        app.ready().then(() => 'started', ({ message }) => message).then((told) => {
          process.stdout.write(told, () => process.exit())
        })`,
    },
  })
  const esbuild = join(folder, 'node_modules/.bin/esbuild')
  const options = ['--bundle', '--tree-shaking=true', '--platform=node', '--log-level=error']
  run(esbuild, ['main.mjs', ...options, '--outfile=out.cjs'], folder)
  const told = run('node', ['out.cjs'], folder)
  check(told.includes('config.auth of GET /orders has no effect'), `the bundled app: ${told}`)
}

/** The recipe of docs/jest.md, block by block. */
function checkJest(tarball) {
  const recipe = readFileSync(join(root, 'docs/jest.md'), 'utf8')
  const blocks = [...recipe.matchAll(/^```(?:json|js)\n(.*?)^```$/gms)].map(([, text]) => text)
  const [babel, manifest, test] = blocks
  const folder = consumer('jest', tarball, {
    dependencies: [
      'jest@30',
      '@babel/plugin-transform-modules-commonjs@7',
      `fastify@${version('fastify')}`,
    ],
    manifest: { scripts: { test: 'jest' }, ...JSON.parse(manifest) },
    files: { 'babel.config.json': babel, 'orders.test.js': test },
  })
  run('npm', ['test', '--silent'], folder, { stdio: ['ignore', 'inherit', 'inherit'] })
}

try {
  const [{ filename }] = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', work], root),
  )
  const tarball = join(work, filename)
  const count = checkContents(tarball)
  checkBundle(tarball)
  checkRuntimes(tarball)
  checkTypes(
    tarball,
    'alone',
    {
      core: `import { createResourceServer, type VerifiedToken } from 'cognito-m2m'
     const guard = createResourceServer({ userPoolId: 'a', clientId: null }).guard({ scopes: 'a/b' })
     export const token: VerifiedToken | Promise<VerifiedToken> = guard(undefined)
     // @ts-expect-error clientId has to be said
     createResourceServer({ userPoolId: 'a' })`,
      client: `import { createTokenClient, memoryStore, redisStore, type AccessToken } from 'cognito-m2m/client'
     const client = createTokenClient({ tokenEndpoint: 'https://a/oauth2/token', clientId: 'a', clientSecret: async () => 'a', store: memoryStore() })
     export const token: Promise<AccessToken> = client.getToken({ scopes: 'a/b' })
     export const answer: Promise<Response> = client.fetch('https://a.example', { method: 'POST' })
     export type Redis = Parameters<typeof redisStore>[0]
     // @ts-expect-error clientSecret has to be said
     createTokenClient({ tokenEndpoint: 'https://a/oauth2/token', clientId: 'a' })`,
      testing: `import { createTestUserPool } from 'cognito-m2m/testing'
     export const token: string = createTestUserPool().accessToken({ scopes: ['a/b'] })`,
      usage: `import { createUsage, type UsageReport } from 'cognito-m2m/usage'
     const usage = createUsage({ price: { currency: 'USD', tiers: [{ price: 2.25 }] } })
     export const report: Promise<UsageReport> = usage.report()
     // @ts-expect-error prices are configuration
     createUsage({})`,
      openapi: `import { defineScopes } from 'cognito-m2m'
     import { openApiParts } from 'cognito-m2m/openapi'
     const orders = defineScopes('orders', { read: 'Read orders' })
     const parts = openApiParts({ tokenUrl: 'https://a.example/oauth2/token', scopes: [orders] })
     export const [first] = parts.access({ scopes: orders.read }).security
     // @ts-expect-error the name is scopes
     parts.access({ scope: 'a/b' })`,
      // Typed on Node: it compiles without Express, and below with its types.
      express: `import { cognitoAuth, getAuth } from 'cognito-m2m/express'
     import type { IncomingMessage } from 'node:http'
     const auth = cognitoAuth({ userPoolId: 'a', clientId: null })
     auth({ scopes: 'a/b' })
     export const caller = (request: IncomingMessage): string => getAuth(request).clientId
     // @ts-expect-error declared by cognito-m2m/express/global alone
     export type Global = Express.Request`,
      infra: `import { checkScopes, type Finding, readTemplate, renderTemplate } from 'cognito-m2m/infra'
     export const found: Promise<readonly Finding[]> = readTemplate({ file: 'a.yaml', text: '' }).then((model) => checkScopes(model))
     // @ts-expect-error a dialect that is not there
     renderTemplate({ name: 'a', resourceServers: [], clients: [] }, 'pulumi')`,
    },
    [],
    Object.keys(RESOLUTIONS),
  )
  checkTypes(
    tarball,
    'registered',
    {
      registered: `import { anyOf, createResourceServer, defineScopes } from 'cognito-m2m'
     const orders = defineScopes('orders', { read: 'Read orders' })
     const reports = defineScopes('reports', { run: 'Run reports' })
     const apis = [orders, reports]
     declare module 'cognito-m2m' { interface Register { scopes: typeof apis } }
     const server = createResourceServer({ userPoolId: 'a', clientId: null })
     server.guard({ scopes: anyOf('orders/read', reports.run) })
     // @ts-expect-error misspelt
     server.guard({ scopes: 'orders/raed' })`,
    },
    [],
  )
  checkTypes(
    tarball,
    'usage-redis',
    {
      'usage-redis': `import { Redis } from 'ioredis'
     import { redisUsageStore } from 'cognito-m2m/usage'
     redisUsageStore({ redis: new Redis({ lazyConnect: true }) })`,
    },
    [`ioredis@${version('ioredis')}`],
  )
  checkTypes(
    tarball,
    'fastify',
    {
      fastify: `import { fastify } from 'fastify'
     import { cognitoAuth } from 'cognito-m2m/fastify'
     const app = fastify()
     app.register(cognitoAuth, { userPoolId: 'a', clientId: null })
     app.get('/', { config: { auth: { scopes: 'a/b' } } }, async (request) => request.auth.clientId)
     // @ts-expect-error an open route has no token
     app.get('/open', { config: { auth: false } }, async (request) => request.auth.clientId)`,
    },
    [`fastify@${version('fastify')}`],
  )
  checkTypes(
    tarball,
    'openapi-fastify',
    {
      'openapi-fastify': `import { fastify } from 'fastify'
     import { cognitoOpenApi } from 'cognito-m2m/openapi/fastify'
     const app = fastify()
     app.register(cognitoOpenApi, { tokenUrl: 'https://a.example/oauth2/token', scopes: [] })
     // @ts-expect-error scopes have to be said
     app.register(cognitoOpenApi, { tokenUrl: 'https://a.example/oauth2/token' })`,
    },
    [`fastify@${version('fastify')}`, `@fastify/swagger@${version('@fastify/swagger')}`],
  )
  const withExpress = [
    `express@${version('express')}`,
    `@types/express@${version('@types/express')}`,
  ]
  checkTypes(
    tarball,
    'express-app',
    {
      'express-app': `import express from 'express'
     import { cognitoAuth, getAuth } from 'cognito-m2m/express'
     const auth = cognitoAuth({ userPoolId: 'a', clientId: null })
     express().get('/:id', auth({ scopes: 'a/b' }), (req, res) => void res.json([req.params.id, getAuth(req).clientId]))
     // @ts-expect-error declared by cognito-m2m/express/global alone
     express().get('/', auth(), (req, res) => void res.json(req.auth))`,
    },
    withExpress,
  )
  checkTypes(
    tarball,
    'express-global',
    {
      'express-global': `import express from 'express'
     import { cognitoAuth } from 'cognito-m2m/express'
     import 'cognito-m2m/express/global'
     const auth = cognitoAuth({ userPoolId: 'a', clientId: null })
     express().get('/', auth(), (req, res) => void res.json(req.auth?.clientId))
     // @ts-expect-error it may be missing
     express().get('/', auth(), (req, res) => void res.json(req.auth.clientId))`,
    },
    withExpress,
  )
  checkTypes(
    tarball,
    'proxy',
    {
      proxy: `import { fastify } from 'fastify'
     import { memoryStore, tokenProxy } from 'cognito-m2m/proxy'
     const app = fastify()
     app.register(tokenProxy, { tokenEndpoint: 'https://a/oauth2/token', store: memoryStore(), authorize: (request) => request.ip === '' })
     export const told: Promise<boolean> = app.tokenProxy.invalidate({ clientId: 'a' })
     // @ts-expect-error tokenEndpoint has to be said
     app.register(tokenProxy, {})`,
    },
    [`fastify@${version('fastify')}`],
  )
  checkTypes(
    tarball,
    'lambda',
    {
      lambda: `import { createLambdaAuthorizer } from 'cognito-m2m/lambda'
     import type { APIGatewayTokenAuthorizerHandler } from 'aws-lambda'
     export const handler: APIGatewayTokenAuthorizerHandler = createLambdaAuthorizer({
       userPoolId: 'a', clientId: null, routes: { 'GET /': {} }, resultTtl: 0,
     })`,
    },
    [`@types/aws-lambda@${version('@types/aws-lambda')}`],
  )
  checkTypes(
    tarball,
    'dashboard',
    {
      dashboard: `import { fastify } from 'fastify'
     import { createUsage } from 'cognito-m2m/usage'
     import { usageDashboard } from 'cognito-m2m/usage/dashboard'
     const usage = createUsage({ price: { currency: 'USD', tiers: [{ price: 2.25 }] } })
     const app = fastify()
     app.register(usageDashboard, { prefix: '/usage', usage, authorize: (request) => request.ip === '::1' })
     // @ts-expect-error who may see it has to be said
     app.register(usageDashboard, { usage })`,
    },
    [`fastify@${version('fastify')}`],
  )
  checkDashboard(tarball)
  checkJest(tarball)
  process.stdout.write(
    `package: ${count} files; ESM, CommonJS, TypeScript and Jest consumers pass\n`,
  )
} finally {
  rmSync(work, { recursive: true, force: true })
}
