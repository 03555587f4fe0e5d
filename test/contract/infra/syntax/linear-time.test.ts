/** Texts that could cause catastrophic backtracking are read in linear time. */
import t, { type Test } from 'tap'
import { listPathParameters } from '../../../../src/contract/infra/definition/path.ts'
import { readTemplate, TemplateError } from '../../../../src/contract/infra/index.ts'
import { assignClientIds } from '../../../../src/contract/infra/local-pool/clients.ts'
import type { InfraClient } from '../../../../src/contract/infra/model/model.ts'
import { toHclText } from '../../../../src/contract/infra/render/hcl.ts'

const MIB = 1_048_576
/** Seconds of processor time of this process. */
const LIMIT = 1

async function secondsOf(run: () => unknown): Promise<number> {
  const start = process.cpuUsage()
  await run()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1_000_000
}

/**
 * Measures a short text first, in which quadratic time shows without a test of half an hour. Takes the best of three
 * runs, because garbage collection of earlier runs counts too.
 */
async function isLinear(t: Test, name: string, run: (length: number) => unknown): Promise<void> {
  for (const length of [MIB / 16, MIB]) {
    let best = Number.POSITIVE_INFINITY
    for (let round = 0; round < 3 && best >= LIMIT; round++) {
      best = Math.min(best, await secondsOf(() => run(length)))
    }
    t.ok(best < LIMIT, `${name}, ${length} characters: ${best} s`)
    if (best >= LIMIT) return
  }
}

const CLIENT =
  '"C":{"Type":"AWS::Cognito::UserPoolClient","Properties":{"UserPoolId":"p","ClientName":'
const json = (value: string) => `{"Resources":{${CLIENT}${value}}}}}`
const yaml = (value: string) =>
  `Resources:\n  C:\n    Type: X\n    Properties:\n      A: ${value}\n`
const terraform = (value: string) =>
  `{"resource":{"aws_cognito_user_pool":{"p":{"name":${value}}}}}`

/** Fills a template with a repeated text, up to a length. */
function filled(frame: (value: string) => string, before: string, unit: string, after: string) {
  return (length: number): string => {
    const around = frame(`${before}${after}`).length
    return frame(`${before}${unit.repeat(Math.floor((length - around) / unit.length))}${after}`)
  }
}

const SUB = '{"Fn::Sub":"'
const texts: Record<string, [file: string, text: (length: number) => string]> = {
  'a dynamic reference that does not end': ['a.json', filled(json, '"{{resolve:ssm:', 'a', '"')],
  'the same with colons': ['a.json', filled(json, '"{{resolve:ssm:', 'a:', '"')],
  'the same in YAML': ['a.yaml', filled(yaml, '"{{resolve:ssm-secure:', '1', '"')],
  'the same in Fn::Sub': ['a.json', filled(json, `${SUB}{{resolve:ssm:`, 'a', '"}')],
  'dynamic references that do not end': [
    'a.json',
    filled(json, '"', '\\u007b\\u007bresolve:ssm:', '"'),
  ],
  'variables that do not end': ['a.json', filled(json, SUB, '$\\u007b', '"}')],
  'variables that do not end, in YAML': ['a.yaml', filled(yaml, '!Sub "', '$\\u007b', '"')],
  'literals that do not end': ['a.json', filled(json, SUB, '$\\u007b!', '"}')],
  'variables in a variable': ['a.json', filled(json, SUB, '$\\u007b', '}"}')],
  'signs in front of a variable': ['a.json', filled(json, SUB, '$', '{A}"}')],
  'Terraform templates that do not end': ['a.tf.json', filled(terraform, '"', '$\\u007b', '"')],
  'directives that do not end': ['a.tf.json', filled(terraform, '"', '%\\u007b', '"')],
}

for (const [name, [file, text]] of Object.entries(texts)) {
  t.test(`${name}: 1 MiB is read or rejected within a second of processor time`, async (t) => {
    const outcomes = new Set<string>()
    await isLinear(t, name, (length) =>
      readTemplate({ file, text: text(length) }).then(
        () => outcomes.add('read'),
        (error: unknown) =>
          outcomes.add(error instanceof TemplateError ? 'refused' : String(error)),
      ),
    )
    const expected = file.endsWith('.tf.json') ? ['refused'] : ['read']
    t.strictSame([...outcomes], expected)
  })
}

t.test('paths, quoted texts and client ids take linear time', async (t) => {
  await isLinear(t, 'braces in a path', (length) => listPathParameters('{'.repeat(length)))
  await isLinear(t, 'signs in a text of HCL', (length) => toHclText('$'.repeat(length)))
  const clientsOf = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ id: `C${index}`, name: { value: 'one' } }))
  await isLinear(t, 'clients of one name', (length) =>
    assignClientIds(clientsOf(length / 16) as unknown as InfraClient[]),
  )
})

t.test('values in such texts are read correctly', async (t) => {
  const nameOf = async (value: string, file = 'a.json') => {
    const model = await readTemplate({ file, text: json(value) })
    return model.userPools.length + model.clients.length === 1 ? model.clients[0]?.name : undefined
  }
  const sub = (text: string) => nameOf(`{"Fn::Sub":${JSON.stringify(text)}}`)
  for (const text of ['', 'a', '$', 'a$', '$$a', '${', 'a${b', '${}', '}', '$}', '${}${']) {
    t.match(await sub(text), { value: text }, text)
  }
  t.match(await sub('a-${!Literal}-$b'), { value: 'a-${Literal}-$b' })
  t.match(await sub('${!}'), { value: '${}' })
  t.equal((await sub('a-${AWS::Region}-b'))?.value, undefined)
  for (const text of ['{{resolve:ssm:a', 'a {{resolve:}', '{{resolve:ssm:a}']) {
    t.match(await nameOf(JSON.stringify(text)), { value: text }, text)
  }
  for (const text of [
    '{{resolve:ssm:/a/b}}',
    'x{{resolve:ssm-secure:a:3}}y',
    '{{resolve:other:a}}',
  ]) {
    t.equal((await nameOf(JSON.stringify(text)))?.value, undefined, text)
  }
})
