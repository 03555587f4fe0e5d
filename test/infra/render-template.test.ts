import { deepStrictEqual } from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CelEngine, TemplateFile } from '@aws/cloudformation-validate'
import fc from 'fast-check'
import t from 'tap'
import {
  checkScopes,
  definitionOf,
  type InfraDefinition,
  readTemplate,
  renderTemplate,
} from '../../src/infra/index.ts'

// Its types bring those of browsers into every file that is checked with this one.
const { parse } = createRequire(import.meta.url)('@cdktf/hcl2json') as {
  parse(file: string, text: string): Promise<Record<string, Record<string, object>>>
}

const ORDERS: InfraDefinition = {
  name: 'orders',
  domain: 'orders-test',
  resourceServers: [
    { identifier: 'orders', scopes: { read: 'Read orders', write: 'Change ${them}' } },
  ],
  clients: [{ name: 'billing', scopes: ['orders/read', 'orders/write'], accessTokenValidity: 900 }],
}
const EXAMPLES = 'examples/drift'
const [cloudformation, terraform] = ['cloudformation', 'terraform'] as const

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
const characters = (list: string) => fc.constantFrom(...list)
const name = fc
  .string({ unit: characters('abzAZ019_-.:${}%#~!&*'), minLength: 1, maxLength: 12 })
  .filter((text) => text !== '__proto__')
const definitions: fc.Arbitrary<InfraDefinition> = fc
  .uniqueArray(
    fc.record({
      identifier: fc.string({ unit: characters('abz/:.-${}%'), minLength: 1, maxLength: 12 }),
      scopes: fc.dictionary(name, fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), {
        minKeys: 1,
        maxKeys: 4,
        noNullPrototype: true,
      }),
    }),
    { minLength: 1, maxLength: 3, selector: ({ identifier }) => identifier },
  )
  .chain((resourceServers) => {
    const scopes = resourceServers.flatMap(({ identifier, scopes }) =>
      Object.keys(scopes).map((scope) => `${identifier}/${scope}`),
    )
    return fc.record({
      name: fc.constantFrom('orders', 'a-b_c', 'true'),
      domain: fc.constantFrom('a', '0-9', 'null'),
      resourceServers: fc.constant(resourceServers),
      clients: fc.array(
        fc.record({
          name: fc.constantFrom('billing', 'a b', '5', '@x'),
          scopes: fc.subarray(scopes),
          accessTokenValidity: fc.integer({ min: 300, max: 86_400 }),
        }),
        { maxLength: 3 },
      ),
    })
  })

t.test('reading back what was written gives the definition, in every dialect', async () => {
  for (const dialect of ['cloudformation', 'sam', 'terraform'] as const) {
    await fc.assert(
      fc.asyncProperty(definitions, async (definition) => {
        const [first] = renderTemplate(definition, dialect)
        const model = await readTemplate(first as { file: string; text: string })
        const errors = checkScopes(model).filter(({ severity }) => severity === 'error')
        deepStrictEqual(errors, [])
        // Dictionaries may have no prototype.
        deepStrictEqual(plain(definitionOf(model)), plain(definition))
      }),
      { numRuns: 30 },
    )
  }
})

t.test('what was written passes the validators of both worlds', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'render-template-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const engine = new CelEngine()
  t.teardown(() => engine.free())
  for (const { file, text } of [
    ...renderTemplate(ORDERS, cloudformation),
    ...renderTemplate(ORDERS, 'sam'),
  ]) {
    const path = join(folder, file)
    writeFileSync(path, text)
    const { diagnostics } = engine.validateStandard(new TemplateFile(path))
    t.strictSame(
      diagnostics.filter(({ severity }) => /error|fatal/i.test(severity)),
      [],
      file,
    )
  }
  for (const file of ['sam/clean/auth.yaml', 'sam/clean/api.yaml', 'express/clean/template.yaml']) {
    const { diagnostics } = engine.validateStandard(new TemplateFile(join(EXAMPLES, file)))
    t.strictSame(
      diagnostics.filter(({ severity }) => /error|fatal/i.test(severity)),
      [],
      file,
    )
  }
  for (const file of readdirSync(join(EXAMPLES, 'terraform/clean'))) {
    if (!file.endsWith('.tf')) continue
    const text = readFileSync(join(EXAMPLES, 'terraform/clean', file), 'utf8')
    t.ok(Object.keys(await parse(file, text)).length > 0, file)
  }
  const [main] = renderTemplate(ORDERS, terraform)
  const parsed = await parse('main.tf', main?.text ?? '')
  t.equal(Object.keys(parsed['resource'] ?? {}).length, 5)
})

t.test('the pair: the API stack consumes what the auth stack publishes', async (t) => {
  const models = await Promise.all(renderTemplate(ORDERS, 'sam').map((file) => readTemplate(file)))
  const [auth, api] = models
  const published = auth?.parameters.map((parameter) => parameter.name?.value)
  t.strictSame(published, ['/orders/user-pool-id', '/orders/user-pool-arn'])
  t.strictSame(
    api?.authorizers[0]?.userPools?.items.map(({ source }) => source.ssm),
    ['/orders/user-pool-arn'],
  )
  t.strictSame(checkScopes(models), [])
})

t.test('what Cognito would refuse, or a template leaves open, is no definition', async (t) => {
  const wrong = (change: object, dialect = 'terraform') =>
    t.throws(() => renderTemplate({ ...ORDERS, ...change }, dialect as never), {
      code: 'ERR_OPTION_INVALID',
    })
  wrong({ name: 'a b' })
  wrong({ domain: 'A' })
  wrong({ resourceServers: 5 })
  wrong({ resourceServers: [...ORDERS.resourceServers, ...ORDERS.resourceServers] })
  wrong({ clients: [{ name: 'a', scopes: ['orders/gone'] }] })
  wrong({ clients: [{ name: '', scopes: [] }] })
  wrong({}, 'pulumi')
  const open = await readTemplate({
    file: 'a.yaml',
    text: 'Resources: { P: { Type: AWS::Cognito::UserPool, Properties: { UserPoolName: !Ref AWS::StackName } } }',
  })
  t.throws(() => definitionOf(open), /leaves open a fact of "P"/)
  t.throws(() => definitionOf({ ...open, userPools: [] }), /has 0 user pools/)
  const { domain: _, ...bare } = ORDERS
  const [file] = renderTemplate({ ...bare, clients: [] }, cloudformation)
  t.same(definitionOf(await readTemplate(file as never)), { ...bare, clients: [] })
})
