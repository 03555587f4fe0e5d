/**
 * Runs the apps of examples/migration side by side: each request goes to the app before and to the app after.
 * The statuses must be those of the table on the page of docs/, which also quotes both apps and maps every option
 * and error class of the other library. Needs the built package and `npm ci --prefix bench/peers`.
 */
import { createPublicKey, verify as verifySignature } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { register } from 'node:module'

register('./resolve-peers.mjs', import.meta.url)
const { createTestUserPool } = await import('cognito-m2m/testing')

const CLIENT = 'billing'
const pool = createTestUserPool({
  userPoolId: 'eu-west-1_AbCdEfGhI',
  clients: [
    { clientId: CLIENT, scopes: ['orders/read'] },
    { clientId: 'other', scopes: ['orders/read'] },
  ],
})

const bearer = (token) => `Bearer ${token}`
/** The first cell of each row to a request: path and Authorization header. */
const REQUESTS = {
  'a valid token': ['/orders', bearer(pool.accessToken())],
  'no token': ['/orders', undefined],
  'not a token': ['/orders', 'Bearer garbage'],
  'an expired token': ['/orders', bearer(pool.tampered.expired())],
  'a forged signature': ['/orders', bearer(pool.tampered.wrongKey())],
  'a scope is missing': ['/orders', bearer(pool.accessToken({ scopes: 'orders/write' }))],
  'one of two scopes': ['/reports', bearer(pool.accessToken({ scopes: 'reports/run' }))],
  'another app client': ['/orders', bearer(pool.accessToken({ clientId: 'other' }))],
  "a user's access token": [
    '/orders',
    bearer(pool.userAccessToken({ clientId: CLIENT, scopes: 'orders/read' })),
  ],
  'the check denies': ['/orders', bearer(pool.accessToken({ claims: { tier: 'basic' } }))],
  'the check throws': ['/orders', bearer(pool.accessToken({ claims: { tier: 'unknown' } }))],
  'a token bound to another audience': [
    '/orders',
    bearer(pool.accessToken({ claims: { aud: 'https://other.example.com' } })),
  ],
}

const jwksServer = createServer((_request, response) => {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(pool.jwks()))
})
jwksServer.listen(0, '127.0.0.1')
await once(jwksServer, 'listening')

const settings = {
  userPoolId: pool.userPoolId,
  clientId: CLIENT,
  issuer: pool.issuer,
  jwks: pool.jwks(),
  jwksUri: `http://127.0.0.1:${jwksServer.address().port}/jwks.json`,
}

/** Calls an Express or Fastify app over HTTP. */
async function serve(app) {
  const server = app.server ?? createServer(app)
  if (app.server === undefined) server.listen(0, '127.0.0.1')
  else await app.listen({ port: 0, host: '127.0.0.1' })
  if (!server.listening) await once(server, 'listening')
  const { port } = server.address()
  return {
    async call(path, authorization) {
      const headers = authorization === undefined ? {} : { authorization }
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers })
      await response.arrayBuffer()
      return response.status
    },
    close: () => server.close(),
  }
}

/** What the JWT authorizer of API Gateway does with a signature, `exp` and `nbf`. */
async function verifyAsGateway(token) {
  const [header, payload, signature = ''] = token.split('.')
  try {
    const { kid } = JSON.parse(Buffer.from(header, 'base64url'))
    const key = pool.jwks().keys.find((it) => it.kid === kid)
    const isSigned = verifySignature(
      'sha256',
      Buffer.from(`${header}.${payload}`),
      createPublicKey({ key, format: 'jwk' }),
      Buffer.from(signature, 'base64url'),
    )
    const claims = JSON.parse(Buffer.from(payload, 'base64url'))
    return isSigned && claims.exp > Date.now() / 1000 ? claims : undefined
  } catch {
    return undefined
  }
}

/** What HTTP API does with the result of a Lambda authorizer. */
function serveAuthorizer(handler) {
  return async (path, authorization) => {
    // Without the identity source, API Gateway answers 401 and does not call the function.
    if (authorization === undefined) return 401
    const event = {
      version: '2.0',
      type: 'REQUEST',
      routeArn: `arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/$default/GET${path}`,
      routeKey: `GET ${path}`,
      rawPath: path,
      headers: { authorization },
      requestContext: { http: { method: 'GET', path }, stage: '$default', routeKey: `GET ${path}` },
    }
    try {
      return (await handler(event)).isAuthorized ? 200 : 403
    } catch (error) {
      return error.message === 'Unauthorized' ? 401 : 500
    }
  }
}

async function openPair(name) {
  const before = await import(`../examples/migration/${name}/before.mjs`)
  const after = await import(`../examples/migration/${name}/after.mjs`)
  if (name === 'api-gateway') {
    const decide = before.createAuthorizer({ ...settings, verify: verifyAsGateway })
    const handler = after.createHandler(settings)
    return {
      before: { call: (path, authorization) => decide(`GET ${path}`, authorization), close() {} },
      after: { call: serveAuthorizer(handler), close: () => handler.server.close() },
    }
  }
  return {
    before: await serve(await before.createApp(settings)),
    after: await serve(await after.createApp(settings)),
  }
}

function expect(condition, problem) {
  if (condition) return
  process.exitCode = 1
  process.stderr.write(`${problem}\n`)
}

/** The rows `| request | before | after |` of a page. */
function readTable(page) {
  return Object.fromEntries(
    [...page.matchAll(/^\| ([^|]+) \| (\d{3}) \| (\d{3}) \|/gm)].map(([, request, ...statuses]) => [
      request,
      statuses.map(Number),
    ]),
  )
}

async function checkStatuses(file, name, page) {
  const table = readTable(page)
  const pair = await openPair(name)
  for (const [request, [path, authorization]] of Object.entries(REQUESTS)) {
    const found = [
      await pair.before.call(path, authorization),
      await pair.after.call(path, authorization),
    ]
    expect(
      String(table[request]) === String(found),
      `${file}: "${request}" is ${found.join(' before, ')} after, the page has ${table[request]}`,
    )
  }
  expect(
    Object.keys(table).every((it) => it in REQUESTS),
    `${file}: a row is not tested`,
  )
  pair.before.close()
  pair.after.close()
}

/** Both apps as they stand on the page, without their first line. */
function checkQuotes(file, name, page) {
  for (const side of ['before', 'after']) {
    const code = readFileSync(`examples/migration/${name}/${side}.mjs`, 'utf8')
    const quote = code.slice(code.indexOf('\n') + 1)
    expect(page.includes(`\`\`\`js\n${quote}\`\`\``), `${file}: does not quote ${name}/${side}.mjs`)
  }
}

const peer = (path) => readFileSync(`bench/peers/node_modules/${path}`, 'utf8')
const names = (text, pattern) => [...text.matchAll(pattern)].map(([, name]) => name)
const between = (text, start, end) =>
  text.slice(text.indexOf(start), text.indexOf(end, text.indexOf(start)))

/** Options and error classes that each page maps, from the declarations of the other library. */
const NAMES = {
  'aws-jwt-verify': () => {
    const properties = between(
      peer('aws-jwt-verify/cognito-verifier.d.ts'),
      'interface CognitoVerifyProperties',
      '\n}',
    )
    const errors = names(peer('aws-jwt-verify/error.d.ts'), /export declare class (\w+)/g)
    return [
      ...names(properties, /^ {4}(\w+)\??:/gm),
      ...errors.filter((it) => !it.startsWith('Alb')),
    ]
  },
  'express-oauth2-jwt-bearer': () => {
    const types = peer('express-oauth2-jwt-bearer/dist/index.d.ts')
    const options = ['interface JwtVerifierOptions', 'interface AuthOptions$1'].flatMap((start) =>
      names(between(types, start, '\n}'), /^ {4}(\w+)\??:/gm),
    )
    const functions = names(types, /^declare const (\w+):/gm)
    return [...options, ...functions, ...names(types, /^declare class (\w+)/gm)]
  },
  'fastify-jwt-jwks': () => {
    const options = between(
      peer('fastify-jwt-jwks/index.d.ts'),
      'interface FastifyJwtJwksOptions',
      '\n}',
    )
    return names(options, /^ {2}readonly (\w+)\??:/gm)
  },
  'api-gateway': () => [],
}

const PAGES = {
  'aws-jwt-verify': 'docs/migrate-from-aws-jwt-verify.md',
  'express-oauth2-jwt-bearer': 'docs/migrate-from-express-oauth2-jwt-bearer.md',
  'fastify-jwt-jwks': 'docs/migrate-from-fastify-jwt-jwks.md',
  'api-gateway': 'docs/migrate-from-api-gateway.md',
}

for (const [name, file] of Object.entries(PAGES)) {
  const page = readFileSync(file, 'utf8')
  await checkStatuses(file, name, page)
  checkQuotes(file, name, page)
  for (const it of NAMES[name]())
    expect(page.includes(`\`${it}\``), `${file}: \`${it}\` is not mapped`)
}
jwksServer.close()
if (process.exitCode !== 1) {
  process.stdout.write(
    `${Object.keys(PAGES).length} migrations, ${Object.keys(REQUESTS).length} requests each, as the pages say\n`,
  )
}
