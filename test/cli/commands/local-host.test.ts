import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { runLocal } from '../../support/local-pool.ts'

const run = promisify(execFile)

t.test('local --host ::1 prints URLs with the address in brackets', async (t) => {
  const { code, out, err, pool } = await runLocal(t, '--host', '::1', '--port', '0')
  t.strictSame([code, err], [0, ''])
  t.equal(pool.issuer, `http://[::1]:${pool.port}/xx-local-1_LocalPool`)
  for (const url of [pool.issuer, pool.jwksUri, pool.tokenEndpoint]) t.ok(out.includes(url), url)
  t.ok(out.includes(`    issuer: '${pool.issuer}',\n`))
  t.notMatch(out, '127.0.0.1')
})

t.test('the curl line of local --host ::1 is for pasting', async (t) => {
  const { out, pool } = await runLocal(t, '--host', '::1', '--port', '0')
  const [line = ''] = /^ {2}curl .*$/m.exec(out) ?? []
  // zsh ends with an error where a pattern matches no file; bash does with failglob.
  const curl = `curl() { printf '%s\\n' "$@"; }\n${line}`
  const { stdout } = await run('bash', ['-O', 'failglob', '-c', curl])
  t.equal(stdout.trim().split('\n').at(-1), pool.tokenEndpoint)
})

t.test('IPv4 is the default, and its curl line has no quotes around the URL', async (t) => {
  const { out, pool } = await runLocal(t, '--port', '0')
  t.match(pool.issuer, `http://127.0.0.1:${pool.port}/`)
  t.ok(out.includes(` ${pool.tokenEndpoint}\n`))
})

t.test('another address is refused in one line', async (t) => {
  const { code, out, err } = await runLocal(t, '--host', '0.0.0.0', '--port', '0')
  t.strictSame([code, out], [2, ''])
  t.equal(
    err,
    'cognito-m2m: --host: expected 127.0.0.1 or ::1, got "0.0.0.0". Use a loopback address.\n',
  )
})
