/** Thousands of templates: `check` reads them one after the other, in bounded memory and in a bounded multiple of the time to parse them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { parseDocument } from 'yaml'
import { run } from '../../support/run-cli.ts'
import { sampleSize } from '../../support/sample.ts'

const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))
const FILES = sampleSize('templates of one check', { complete: 10_000, sampled: 1000 })
const MAX_MEMORY_BYTES = 500_000_000

/**
 * CPU time of a check in multiples of the time that the YAML parser takes for the same files, once both are compiled.
 * Measured: 2.2 to 3.1. Both take turns, because other processes of the machine then slow both alike.
 */
const MAX_RATIO = 6
const TURNS = 7
const FILES_PER_TURN = 100

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

/** Folders of 100 templates. Every 1,000th has a misspelled scope. */
function writeTemplates(t: Test, count: number): { folder: string; paths: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'many-files-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const paths = Array.from({ length: count }, (_, index) => {
    const inner = join(folder, `team-${Math.floor(index / 100)}`)
    if (index % 100 === 0) mkdirSync(inner)
    const path = join(inner, `service-${index}.yaml`)
    writeFileSync(path, template(index))
    return path
  })
  return { folder, paths }
}

async function cpuMicros(work: () => unknown): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

t.test(`${FILES} templates`, async (t) => {
  const { folder } = writeTemplates(t, FILES)
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
  t.equal([...written.out.matchAll(/ error grant-undefined /g)].length, FILES / 1000)
  const [last = ''] = written.err.split('\n').slice(-1)
  const { bytes, seconds } = JSON.parse(last) as { bytes: number; seconds: number }
  t.comment(`${seconds.toFixed(1)} s of CPU time, ${Math.round(bytes / 1e6)} MB`)
  t.ok(bytes < MAX_MEMORY_BYTES, `${bytes} bytes`)
})

t.test('the time of a check beside that of the parser alone', async (t) => {
  const { folder, paths } = writeTemplates(t, FILES_PER_TURN)
  const parse = () => paths.map((path) => parseDocument(readFileSync(path, 'utf8')).contents)
  const check = async () => t.equal((await run(['check', folder])).code, 1)
  const ratios: number[] = []
  for (let turn = 0; turn < TURNS; turn++) {
    const parsed = await cpuMicros(parse)
    const checked = await cpuMicros(check)
    // The first turns compile the code.
    if (turn >= 2) ratios.push(checked / parsed)
  }
  ratios.sort((a, b) => a - b)
  const median = ratios[ratios.length >> 1] as number
  t.comment(
    `${median.toFixed(2)} times the parser, of ${ratios.map((it) => it.toFixed(2)).join(' ')}`,
  )
  t.ok(median < MAX_RATIO, `${median}`)
})
