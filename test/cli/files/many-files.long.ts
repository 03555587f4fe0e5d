/** 10,000 templates: `check` reads them one after the other, in bounded time and memory. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))
const FILES = 10_000
const MAX_MEMORY_BYTES = 500_000_000
/** The goal is 20 s on an idle machine. Another process may take the same cores. */
const MAX_CPU_SECONDS = 40

/** Prints the CPU time and the peak memory of the process when it ends. */
const MEASURE = `data:text/javascript,${encodeURIComponent(`process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
  process.stderr.write('\\n' + JSON.stringify({ bytes: maxRSS * 1024, seconds: (userCPUTime + systemCPUTime) / 1e6 }))
})`)}`

/** A template of a service with its own pool, and a queue. */
const template = (index: number): string => `AWSTemplateFormatVersion: '2010-09-09'
Description: Service ${index}
Parameters:
  Stage: { Type: String, Default: prod }
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub 'service-${index}-\${Stage}'
      VisibilityTimeout: 60
  Pool:
    Type: AWS::Cognito::UserPool
    Properties: { UserPoolName: !Sub 'service-${index}-\${Stage}' }
  Domain:
    Type: AWS::Cognito::UserPoolDomain
    Properties: { UserPoolId: !Ref Pool, Domain: !Sub 'service-${index}-\${Stage}' }
  Server:
    Type: AWS::Cognito::UserPoolResourceServer
    Properties:
      UserPoolId: !Ref Pool
      Identifier: service-${index}
      Name: Service ${index}
      Scopes:
        - { ScopeName: read, ScopeDescription: Read }
        - { ScopeName: write, ScopeDescription: Write }
  Client:
    Type: AWS::Cognito::UserPoolClient
    DependsOn: Server
    Properties:
      UserPoolId: !Ref Pool
      GenerateSecret: true
      AllowedOAuthFlowsUserPoolClient: true
      AllowedOAuthFlows: [client_credentials]
      AllowedOAuthScopes: [service-${index}/read, service-${index}/${index % 1000 === 0 ? 'wirte' : 'write'}]
`

t.test(`${FILES} templates`, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'many-files-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (let index = 0; index < FILES; index++) {
    const inner = join(folder, `team-${Math.floor(index / 100)}`)
    if (index % 100 === 0) mkdirSync(inner)
    writeFileSync(join(inner, `service-${index}.yaml`), template(index))
  }
  const args = [...process.execArgv, `--import=${MEASURE}`, MAIN, 'check', folder]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const written = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    written.out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    written.err += chunk.toString()
  })
  t.strictSame(await once(child, 'close'), [1, null])
  t.equal([...written.out.matchAll(/ error grant-undefined /g)].length, 10)
  const [last = ''] = written.err.split('\n').slice(-1)
  const { bytes, seconds } = JSON.parse(last) as { bytes: number; seconds: number }
  t.comment(`${seconds.toFixed(1)} s of CPU time, ${Math.round(bytes / 1e6)} MB`)
  t.ok(bytes < MAX_MEMORY_BYTES, `${bytes} bytes`)
  t.ok(seconds < MAX_CPU_SECONDS, `${seconds} s`)
})
