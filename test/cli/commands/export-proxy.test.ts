/** `export --proxy`: the template, and the code of the function, which runs here. */
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { startDynamoDb, TABLE } from '../../support/dynamodb.ts'
import { issue, reply, startUpstream } from '../../support/proxy.ts'
import { run } from '../../support/run-cli.ts'

const ROOT = new URL('../../../', import.meta.url)

t.test('it writes the template and the code, without a module', async (t) => {
  const folder = t.testdir()
  const { code, out, err } = await run(['export', '--proxy', '--name', 'orders', '--out', folder])
  t.strictSame([code, out], [0, ''])
  t.match(err, /wrote .*proxy\.yaml, .*proxy\.mjs\n$/)
  const template = readFileSync(join(folder, 'proxy.yaml'), 'utf8')
  t.match(template, 'Description: "The caching token proxy of orders"')
  t.notMatch(template, /Resource: ("\*"|\*)/, 'each permission names its resource')
  for (const part of [
    '- dynamodb:GetItem',
    '- dynamodb:UpdateItem',
    '- secretsmanager:GetSecretValue',
    'PayloadFormatVersion: "2.0"',
    'AttributeName: expiresAt',
  ]) {
    t.match(template, part)
  }
})

t.test('check accepts the template, and that of the table in the docs', async (t) => {
  const folder = t.testdir()
  await run(['export', '--proxy', '--out', folder])
  for (const file of [
    join(folder, 'proxy.yaml'),
    'fixtures/templates/token-store/template.yaml',
    'fixtures/templates/token-store/main.tf',
  ]) {
    const { code, out } = await run(['check', file])
    t.equal(code, 0, `${file}: ${out}`)
  }
  const page = readFileSync(new URL('docs/token-stores.md', ROOT), 'utf8')
  for (const file of ['template.yaml', 'main.tf']) {
    const text = readFileSync(new URL(`fixtures/templates/token-store/${file}`, ROOT), 'utf8')
    t.ok(page.includes(`\n${text}\`\`\``), `${file} is on the page`)
  }
})

/** A Secrets Manager with one secret. */
async function startSecretsManager(t: Test): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' })
    response.end(JSON.stringify({ Name: 'key', SecretString: 'x'.repeat(64) }))
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('the function that it writes serves tokens from the table', async (t) => {
  const { out } = await run(['export', '--proxy', '--json'])
  const { files } = JSON.parse(out) as { files: readonly { file: string; text: string }[] }
  const code = files.find(({ file }) => file === 'proxy.mjs')
  const folder = t.testdir()
  const entry = new URL('src/tokens/proxy/lambda.ts', ROOT).href
  writeFileSync(
    join(folder, 'proxy.mjs'),
    (code?.text ?? '').replace("'cognito-m2m/proxy/lambda'", `'${entry}'`),
  )
  const event = {
    version: '2.0',
    rawPath: '/oauth2/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'grant_type=client_credentials&client_id=billing&client_secret=secret',
    isBase64Encoded: false,
    requestContext: { http: { method: 'POST', sourceIp: '127.0.0.1' } },
  }
  // However busy the machine is, the table is not too slow for this process.
  const limit = new URL('test/support/store-limit.ts', ROOT).href
  const script = `import { storeLimit } from '${limit}'
import { handler } from './proxy.mjs'
storeLimit.lengthen()
process.stdout.write(JSON.stringify(await handler(${JSON.stringify(event)})))
process.exit(0)`
  writeFileSync(join(folder, 'main.mjs'), script)
  const upstream = await startUpstream(t, (response, _request, count) =>
    reply(response, 200, issue(count)),
  )
  const dynamoDb = await startDynamoDb(t)
  const env = {
    PATH: process.env['PATH'],
    NODE_ENV: 'test',
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_DYNAMODB: dynamoDb.endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: await startSecretsManager(t),
    TOKEN_ENDPOINT: upstream.tokenEndpoint,
    CLIENT_IDS: 'billing,shipping',
    TOKEN_TABLE: TABLE,
    ENCRYPTION_SECRET: 'key',
  }
  const register = new URL('test/typescript/register.mjs', ROOT).href
  // Two cold starts: the second one finds the token in the table.
  for (const start of ['first', 'second']) {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [`--import=${register}`, join(folder, 'main.mjs')],
      { env, timeout: 120_000 },
    )
    const { statusCode, body } = JSON.parse(stdout)
    t.equal(statusCode, 200, start)
    t.equal(JSON.parse(body).access_token, 'token-1', start)
  }
  t.equal(upstream.requests.length, 1)
})

t.test('invalid usage: one line with the fix', async (t) => {
  const wrong: readonly (readonly [string[], string])[] = [
    [['app.js'], 'MODULE: expected none with --proxy, got "app.js". Remove the module.'],
    [['--to', 'terraform'], '--to: expected sam with --proxy, got "terraform". Remove the flag.'],
    [
      ['--token-url', 'x'],
      '--token-url: expected no such flag with --proxy, got one. Remove the flag.',
    ],
    [[], '--out: expected a folder for 2 files, got none. Pass a folder.'],
  ]
  for (const [args, message] of wrong) {
    const { code, err } = await run(['export', '--proxy', ...args])
    t.equal(code, 2)
    t.match(err, message)
  }
})
