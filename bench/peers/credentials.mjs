/**
 * The tokens of a run, signed once: a signature costs a hundred times what is measured. Every
 * measured process is a fresh one, so a token that is new to it may have been used elsewhere.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTestUserPool } from '../../dist/testing/index.js'
import { CLIENTS, MANY, SCOPES } from './settings.mjs'

/** An id of a real region: what only loopback issuers are allowed is not what is measured. */
const POOL = { userPoolId: 'eu-west-1_Benchmark', clients: [client(0)] }
/** Seconds: longer than any run. */
const DAY = 86_400

function client(index) {
  return { clientId: `client${String(index).padStart(20, '0')}`, scopes: SCOPES }
}

function sign(pool, count, clients = MANY) {
  return Array.from({ length: count }, (_, index) =>
    pool.accessToken({
      clientId: client(index % clients).clientId,
      scopes: SCOPES,
      expiresIn: DAY,
    }),
  )
}

/**
 * @param fresh How many tokens are needed that no measured process has seen.
 * @returns The pool as verifiers are told of it, and its tokens.
 */
export function signCredentials(fresh) {
  const pool = createTestUserPool(POOL)
  const foreign = createTestUserPool({ ...POOL, userPoolId: 'eu-west-1_Elsewhere' })
  const refused = (make) => Array.from({ length: 64 }, make)
  return {
    pool: { userPoolId: pool.userPoolId, issuer: pool.issuer, jwks: pool.jwks() },
    warm: sign(pool, CLIENTS, CLIENTS),
    many: sign(pool, MANY),
    fresh: sign(pool, fresh),
    expired: refused(() => pool.accessToken({ scopes: SCOPES, expiresIn: -60 })),
    foreign: refused(() => foreign.accessToken({ scopes: SCOPES, expiresIn: DAY })),
  }
}

/** Hands the credentials to other processes in a file that `remove` takes away. */
export function shareCredentials(credentials) {
  const folder = mkdtempSync(join(tmpdir(), 'cognito-m2m-bench-'))
  const path = join(folder, 'credentials.json')
  writeFileSync(path, JSON.stringify(credentials), { mode: 0o600 })
  return { path, remove: () => rmSync(folder, { recursive: true }) }
}

export function readCredentials(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}

/** The key set over HTTP, for peers that fetch it. */
export async function serveKeys(jwks) {
  const document = JSON.stringify(jwks)
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(document)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const domain = `http://127.0.0.1:${server.address().port}`
  return {
    keys: { domain, jwksUri: `${domain}/.well-known/jwks.json` },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
