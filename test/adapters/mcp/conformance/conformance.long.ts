/**
 * Scenarios of @modelcontextprotocol/conformance: those of servers against a guarded server, and one of clients
 * against the client of examples/mcp.
 */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { cognitoAuth } from '../../../../src/adapters/mcp/index.ts'
import { listen, mcpOptions, mcpPool, READ } from '../../../support/mcp.ts'
import { createConformanceApp } from './server.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../../../..')
const CLI = join(root, 'node_modules/@modelcontextprotocol/conformance/dist/index.js')

/** It speaks version 2025-03-26, to which SDK 1.32 sends no priming event and no retry field: two warnings. */
const PENDING = 'server-sse-polling'

interface Check {
  readonly id: string
  readonly status: string
  readonly errorMessage?: string
}

/** Runs the command, which writes one file of checks per scenario. */
async function check(folder: string, ...args: string[]): Promise<Map<string, Check[]>> {
  await run(process.execPath, [CLI, ...args, '--output-dir', folder], { cwd: folder })
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const scenarios = files.filter((file) => file.endsWith('checks.json')).sort()
  return new Map(
    scenarios.map((file) => {
      const [, name = ''] = /^(?:server-)?(.+)-\d{4}-\d\d-\d\dT.+$/.exec(join(file, '..')) ?? []
      return [name, JSON.parse(readFileSync(join(folder, file), 'utf8')) as Check[]]
    }),
  )
}

/** The scenarios send no token: this stands in front of the guard and adds one, as a client would. */
function withToken(port: number) {
  const authorization = `Bearer ${mcpPool.accessToken({ scopes: READ })}`
  return (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { method, url: path, headers } = incoming
    const forwarded = request({ port, method, path, headers: { ...headers, authorization } })
    forwarded.on('response', (response) => {
      outgoing.writeHead(response.statusCode as number, response.headers)
      response.pipe(outgoing)
    })
    forwarded.on('error', () => outgoing.destroy())
    outgoing.on('close', () => forwarded.destroy())
    incoming.pipe(forwarded)
  }
}

t.test('the scenarios of servers pass through the guard', async (t) => {
  const auth = cognitoAuth(mcpOptions())
  const guarded = await listen(t, createConformanceApp(auth({ scopes: READ })))
  t.equal((await fetch(`http://127.0.0.1:${guarded}/mcp`, { method: 'POST' })).status, 401)
  const port = await listen(t, withToken(guarded))
  const url = `http://127.0.0.1:${port}/mcp`
  const results = await check(t.testdir(), 'server', '--suite', 'all', '--url', url)
  const { stdout } = await run(process.execPath, [CLI, 'list', '--server'])
  const names = [...stdout.matchAll(/^ {2}- (\S+)/gm)].map(([, name]) => name)
  t.strictSame([...results.keys()].sort(), names.sort())
  for (const [name, checks] of results) {
    t.ok(checks.length > 0, name)
    const allowed = ['SUCCESS', 'INFO', ...(name === PENDING ? ['WARNING'] : [])]
    const wrong = checks.filter(({ status }) => !allowed.includes(status))
    t.strictSame(wrong, [], name)
  }
  t.comment(`${results.size} scenarios`)
})

t.test('auth/client-credentials-basic passes with the client of the example', async (t) => {
  const register = join(root, 'test/typescript/register.mjs')
  const command = `${process.execPath} --import=${register} ${join(import.meta.dirname, 'client.ts')}`
  const scenario = 'auth/client-credentials-basic'
  const results = await check(
    t.testdir(),
    ...['client', '--command', command, '--scenario', scenario],
  )
  t.strictSame([...results.keys()], [scenario])
  const checks = results.get(scenario) ?? []
  const statusOf = (id: string) => checks.find((it) => it.id === id)?.status
  t.equal(statusOf('client-credentials-basic-auth'), 'SUCCESS')
  t.equal(statusOf('valid-bearer-token'), 'SUCCESS')
  t.strictSame(
    checks.filter(({ status }) => !['SUCCESS', 'INFO'].includes(status)),
    [],
  )
})
