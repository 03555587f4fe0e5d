/**
 * Packs the tarball and uses it as a stranger would: what is in it, and whether an ESM, a CommonJS,
 * a TypeScript and a Jest consumer get along with it, each subpath with its own peer alone.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ALLOWED =
  /^(?:dist\/.+\.(?:js|d\.ts|map)|src\/.+\.ts|package\.json|README\.md|CHANGELOG\.md|SECURITY\.md|LICENSE)$/
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

/** A project that installs the tarball and only what it names. */
function consumer(name, tarball, { dependencies = [], manifest = {}, files = {} }) {
  const folder = join(work, name)
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, private: true, ...manifest }))
  run('npm', ['install', '--no-audit', '--no-fund', '--no-save', tarball, ...dependencies], folder)
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
    const web = express()
    web.get('/', auth(pool.options())(), (req, res) => res.end(getAuth(req).clientId))
    const server = web.listen(0, '127.0.0.1', async () => {
      const ask = (headers) => fetch(\`http://127.0.0.1:\${server.address().port}/\`, { headers })
      const passed = await (await ask({ authorization: \`Bearer \${pool.accessToken()}\` })).text()
      if (passed !== pool.clients[0].clientId || (await ask({})).status !== 401) throw new Error(passed)
      server.close()
    })
    const app = Fastify()
    app.register(cognitoAuth, pool.options())
    app.get('/', async (request) => request.auth.clientId)
    app.inject({ url: '/', headers: { authorization: \`Bearer \${pool.accessToken()}\` } })
      .then(({ statusCode, body }) => {
        if (statusCode !== 200 || body !== pool.clients[0].clientId) throw new Error(body)
        return app.inject('/')
      })
      .then(({ statusCode }) => { if (statusCode !== 401) throw new Error('open') })`
  const folder = consumer('runtimes', tarball, {
    dependencies: [`fastify@${version('fastify')}`, `express@${version('express')}`],
    files: {
      'esm.mjs': `
        import Fastify from 'fastify'
        import { createResourceServer } from 'cognito-m2m'
        import cognitoAuth, { cognitoAuth as named } from 'cognito-m2m/fastify'
        import express from 'express'
        import { cognitoAuth as auth, getAuth } from 'cognito-m2m/express'
        import 'cognito-m2m/express/global'
        import { createLambdaAuthorizer } from 'cognito-m2m/lambda'
        import { createTestUserPool } from 'cognito-m2m/testing'
        if (cognitoAuth !== named || typeof createResourceServer !== 'function') throw new Error('exports')
        ${body}`,
      'commonjs.cjs': `
        const Fastify = require('fastify')
        const { createResourceServer } = require('cognito-m2m')
        const { cognitoAuth } = require('cognito-m2m/fastify')
        const express = require('express')
        const { cognitoAuth: auth, getAuth } = require('cognito-m2m/express')
        const { createLambdaAuthorizer } = require('cognito-m2m/lambda')
        const { createTestUserPool } = require('cognito-m2m/testing')
        if (typeof createResourceServer !== 'function') throw new Error('exports')
        ${body}`,
    },
  })
  run('node', ['esm.mjs'], folder)
  run('node', ['commonjs.cjs'], folder)
  const told = run('npx', ['cognito-m2m', '--version'], folder).trim()
  check(told === JSON.parse(readFileSync('package.json', 'utf8')).version, `bin says ${told}`)
}

/** `skipLibCheck` off, so that every declaration the subpath names has to be there. */
function checkTypes(tarball, name, source, dependencies) {
  const folder = consumer(`types-${name}`, tarball, {
    dependencies: [`@types/node@${version('@types/node')}`, ...dependencies],
    manifest: { type: 'module' },
    files: { 'main.ts': source, 'commonjs.cts': source },
  })
  for (const module of ['nodenext', 'node20']) {
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          strict: true,
          module,
          target: 'es2023',
          noEmit: true,
          skipLibCheck: false,
          types: ['node'],
        },
        include: ['*.ts', '*.cts'],
      }),
    )
    run(TSC, ['-p', '.'], folder, { stdio: ['ignore', 'inherit', 'inherit'] })
  }
  const bundler = {
    strict: true,
    module: 'esnext',
    moduleResolution: 'bundler',
    target: 'es2023',
    noEmit: true,
    skipLibCheck: false,
    types: ['node'],
  }
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: bundler, include: ['main.ts'] }),
  )
  run(TSC, ['-p', '.'], folder, { stdio: ['ignore', 'inherit', 'inherit'] })
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
  checkRuntimes(tarball)
  checkTypes(
    tarball,
    'core',
    `import { createResourceServer, type VerifiedToken } from 'cognito-m2m'
     const guard = createResourceServer({ userPoolId: 'a', clientId: null }).guard({ scopes: 'a/b' })
     export const token: VerifiedToken | Promise<VerifiedToken> = guard(undefined)
     // @ts-expect-error clientId has to be said
     createResourceServer({ userPoolId: 'a' })`,
    [],
  )
  checkTypes(
    tarball,
    'testing',
    `import { createTestUserPool } from 'cognito-m2m/testing'
     export const token: string = createTestUserPool().accessToken({ scopes: ['a/b'] })`,
    [],
  )
  checkTypes(
    tarball,
    'fastify',
    `import { fastify } from 'fastify'
     import { cognitoAuth } from 'cognito-m2m/fastify'
     const app = fastify()
     app.register(cognitoAuth, { userPoolId: 'a', clientId: null })
     app.get('/', { config: { auth: { scopes: 'a/b' } } }, async (request) => request.auth.clientId)
     // @ts-expect-error an open route has no token
     app.get('/open', { config: { auth: false } }, async (request) => request.auth.clientId)`,
    [`fastify@${version('fastify')}`],
  )
  // Typed on Node: it compiles without Express, and with its types.
  checkTypes(
    tarball,
    'express',
    `import { cognitoAuth, getAuth } from 'cognito-m2m/express'
     import type { IncomingMessage } from 'node:http'
     const auth = cognitoAuth({ userPoolId: 'a', clientId: null })
     auth({ scopes: 'a/b' })
     export const caller = (request: IncomingMessage): string => getAuth(request).clientId
     // @ts-expect-error declared by cognito-m2m/express/global alone
     export type Global = Express.Request`,
    [],
  )
  const withExpress = [
    `express@${version('express')}`,
    `@types/express@${version('@types/express')}`,
  ]
  checkTypes(
    tarball,
    'express-app',
    `import express from 'express'
     import { cognitoAuth, getAuth } from 'cognito-m2m/express'
     const auth = cognitoAuth({ userPoolId: 'a', clientId: null })
     express().get('/:id', auth({ scopes: 'a/b' }), (req, res) => void res.json([req.params.id, getAuth(req).clientId]))
     // @ts-expect-error declared by cognito-m2m/express/global alone
     express().get('/', auth(), (req, res) => void res.json(req.auth))`,
    withExpress,
  )
  checkTypes(
    tarball,
    'express-global',
    `import express from 'express'
     import { cognitoAuth } from 'cognito-m2m/express'
     import 'cognito-m2m/express/global'
     const auth = cognitoAuth({ userPoolId: 'a', clientId: null })
     express().get('/', auth(), (req, res) => void res.json(req.auth?.clientId))
     // @ts-expect-error it may be missing
     express().get('/', auth(), (req, res) => void res.json(req.auth.clientId))`,
    withExpress,
  )
  checkTypes(
    tarball,
    'lambda',
    `import { createLambdaAuthorizer } from 'cognito-m2m/lambda'
     import type { APIGatewayTokenAuthorizerHandler } from 'aws-lambda'
     export const handler: APIGatewayTokenAuthorizerHandler = createLambdaAuthorizer({
       userPoolId: 'a', clientId: null, routes: { 'GET /': {} }, resultTtl: 0,
     })`,
    [`@types/aws-lambda@${version('@types/aws-lambda')}`],
  )
  checkTypes(
    tarball,
    'infra',
    `import { checkScopes, type Finding, readTemplate, renderTemplate } from 'cognito-m2m/infra'
     export const found: Promise<readonly Finding[]> = readTemplate({ file: 'a.yaml', text: '' }).then((model) => checkScopes(model))
     // @ts-expect-error a dialect that is not there
     renderTemplate({ name: 'a', resourceServers: [], clients: [] }, 'pulumi')`,
    [],
  )
  checkJest(tarball)
  process.stdout.write(
    `package: ${count} files; ESM, CommonJS, TypeScript and Jest consumers pass\n`,
  )
} finally {
  rmSync(work, { recursive: true, force: true })
}
