/** What the compiler says about a wrong `config.auth`: each error names the mistake. */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import ts from 'typescript'

const REGISTERED = join(dirname(fileURLToPath(import.meta.url)), 'registered')

const PREAMBLE = `
import type {} from 'cognito-m2m/fastify'
import { anyOf } from 'cognito-m2m'
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifyTypeProvider, RouteShorthandOptions } from 'fastify'
interface Provider extends FastifyTypeProvider { validator: this['schema']; serializer: this['schema'] }
const schema = { params: {} } as const
async function note(_request: Pick<FastifyRequest, 'auth' | 'log'>) {}
async function audit(_request: FastifyRequest, _reply: FastifyReply) {}
`

/** Compiles each body as a separate function, in the program that has registered scopes. */
function compile(bodies: Readonly<Record<string, string>>): Record<string, string[]> {
  const file = join(REGISTERED, 'mistakes.ts')
  const entries = Object.entries(bodies)
  const functions = entries.map(
    ([, body], index) =>
      `export function f${index}(app: FastifyInstance, tenant: string) { ${body.replaceAll('\n', ' ')}; return [tenant, anyOf, schema, audit, note] }`,
  )
  const text = `${PREAMBLE}\n${functions.join('\n')}\n`
  const config = ts.getParsedCommandLineOfConfigFile(join(REGISTERED, 'tsconfig.json'), undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (diagnostic) => t.fail(String(diagnostic.messageText)),
  })
  const options = config?.options ?? {}
  const host = ts.createCompilerHost(options)
  const readFile = host.getSourceFile.bind(host)
  host.getSourceFile = (name, ...rest) =>
    name === file
      ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2023)
      : readFile(name, ...rest)
  const program = ts.createProgram([file, join(REGISTERED, 'scopes.ts')], options, host)
  const source = program.getSourceFile(file)
  const found: Record<string, string[]> = Object.fromEntries(entries.map(([name]) => [name, []]))
  const first = text.slice(0, text.indexOf('export function f0')).split('\n').length - 1
  for (const diagnostic of program.getSemanticDiagnostics(source)) {
    const line = source?.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line ?? 0
    const start = diagnostic.start ?? 0
    const marked = text.slice(start, start + (diagnostic.length ?? 0))
    const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n')
    found[entries[line - first]?.[0] ?? 'preamble']?.push(`${marked}: ${message}`)
  }
  return found
}

/** The forms in which a route is declared. */
const FORMS: Readonly<Record<string, (auth: string) => string>> = {
  get: (auth) => `app.get('/', { config: { auth: ${auth} } }, async () => {})`,
  post: (auth) => `app.post('/', { config: { auth: ${auth} } }, async () => {})`,
  route: (auth) =>
    `app.route({ method: 'GET', url: '/', config: { auth: ${auth} }, handler: async () => {} })`,
  'type provider': (auth) =>
    `app.withTypeProvider<Provider>().get('/', { schema, config: { auth: ${auth} } }, async () => {})`,
}

const MISTAKES: Readonly<Record<string, readonly [auth: string, error: string | RegExp]>> = {
  'the name scope': [
    `{ scope: 'orders/read' }`,
    `scope: Type 'string' is not assignable to type 'UnknownMember<"Did you mean 'scopes'?"> & string'.
  Type 'string' is not assignable to type 'UnknownMember<"Did you mean 'scopes'?">'.`,
  ],
  true: [
    'true',
    `auth: Type 'true' is not assignable to type 'NoInfer<RequirementOrFalse> & true'.
  Type 'true' is not assignable to type 'RequirementOrFalse'.`,
  ],
  'a misspelled scope': [
    `{ scopes: 'orders/raed' }`,
    `scopes: Type '"orders/raed"' is not assignable to type 'NoInfer<RequiredScopes> & "orders/raed"'.
  Type '"orders/raed"' is not assignable to type 'RequiredScopes'. Did you mean '"orders/read"'?`,
  ],
  'a misspelled scope of several': [
    `{ scopes: ['orders/read', 'orders/wirte'] }`,
    /^scopes: Type '\("orders\/read" \| "orders\/wirte"\)\[\]' is not [\s\S]* Type '"orders\/wirte"' is not assignable to type '[^']*'\. Did you mean '"orders\/write"'\?$/,
  ],
  'the name clientID': [
    `{ clientID: 'billing' }`,
    `clientID: Type 'string' is not assignable to type 'UnknownMember<"Did you mean 'clientId'?"> & string'.
  Type 'string' is not assignable to type 'UnknownMember<"Did you mean 'clientId'?">'.`,
  ],
  'the name clientID beside scopes': [
    `{ scopes: 'orders/read', clientID: 'billing' }`,
    `clientID: Type 'string' is not assignable to type 'UnknownMember<"Did you mean 'clientId'?"> & string'.
  Type 'string' is not assignable to type 'UnknownMember<"Did you mean 'clientId'?">'.`,
  ],
}

const cases: Record<string, string> = {}
for (const [form, declare] of Object.entries(FORMS)) {
  for (const [mistake, [auth]] of Object.entries(MISTAKES)) {
    cases[`${form}, ${mistake}`] = declare(auth)
  }
}
Object.assign(cases, {
  'handler among the options': `app.get('/', { config: { auth: { scope: 'a/b' } }, handler: async () => {} })`,
  'another unknown member': `app.get('/', { config: { auth: { scopes: 'orders/read', optionel: true } } }, async (request) => request.auth.clientId)`,
  'another unknown member, alone': `app.get('/', { config: { auth: { role: 'x' } } }, async (request) => request.auth.clientId)`,
  'options declared apart': `const options: RouteShorthandOptions = { config: { auth: { scopes: 'orders/read', optionel: true } } }; app.get('/', options, async () => {})`,
  'a string': `app.get('/', { config: { auth: 'orders/read' } }, async () => {})`,
  right: [
    `app.get('/', { config: { auth: { scopes: 'orders/read' } } }, async (request) => request.auth.clientId)`,
    `app.get('/', { config: { auth: { scopes: ['orders/read', 'orders/write'] } } }, async (request) => request.auth.clientId)`,
    `app.get('/', { config: { auth: { scopes: anyOf('orders/read', 'orders/write') } } }, async (request) => request.auth.clientId)`,
    `app.get('/', { config: { auth: { scopes: \`tenants/\${tenant}\` } } }, async (request) => request.auth.clientId)`,
    `app.get('/', { config: { auth: { scopes: [\`tenants/\${tenant}\`, 'orders/read'] } } }, async (request) => request.auth.clientId)`,
    `app.get('/', { config: { auth: { clientId: 'billing', check: (token) => token.scopes.has('a/b') } } }, async (request) => request.auth.clientId)`,
    `app.withTypeProvider<Provider>().get('/', { schema, config: { auth: { scopes: 'orders/read' } } }, async (request) => request.auth.clientId)`,
  ].join('; '),
  'a hook typed with a bare FastifyRequest': `app.get('/', { config: { auth: {} }, preHandler: audit }, async (request) => request.auth.clientId)`,
  'a hook that reads some members only': `app.get('/', { config: { auth: {} }, preHandler: note }, async (request) => request.auth.clientId)`,
  'the same hook behind a function': `app.get('/', { config: { auth: {} }, preHandler: (request, reply) => audit(request, reply) }, async (request) => request.auth.clientId)`,
})

t.test('errors of the compiler', async (t) => {
  const found = compile(cases)
  for (const form of Object.keys(FORMS)) {
    for (const [mistake, [, error]] of Object.entries(MISTAKES)) {
      t.test(`${form}, ${mistake}`, async (t) => {
        const errors = found[`${form}, ${mistake}`] ?? []
        t.equal(errors.length, 1)
        if (typeof error === 'string') t.equal(errors[0], error)
        else t.match(errors[0], error)
      })
    }
  }
  t.test('handler among the options', async (t) => {
    const [error = ''] = found['handler among the options'] ?? []
    t.ok(
      error.endsWith(
        `Type 'string' is not assignable to type 'UnknownMember<"Did you mean 'scopes'?">'.`,
      ),
    )
  })
  t.test('another unknown member', async (t) => {
    t.strictSame(found['another unknown member'], [
      `clientId: Property 'clientId' does not exist on type 'UnknownMember<"A requirement has no member 'optionel'">'.`,
    ])
    t.strictSame(found['another unknown member, alone'], [
      `clientId: Property 'clientId' does not exist on type 'UnknownMember<"A requirement has no member 'role'">'.`,
    ])
    t.strictSame(found['options declared apart'], [
      `optionel: Object literal may only specify known properties, but 'optionel' does not exist in type 'RouteRequirement & object'. Did you mean to write 'optional'?`,
    ])
  })
  t.test('a string', async (t) => {
    t.strictSame(found['a string'], [
      `auth: Type 'string' is not assignable to type 'NoInfer<RequirementOrFalse> & string'.
  Type 'string' is not assignable to type 'RequirementOrFalse'.`,
    ])
  })
  t.test('nothing about what is right', async (t) => t.strictSame(found['right'], []))
  t.test('a shared hook and the type of request.auth', async (t) => {
    t.strictSame(found['a hook typed with a bare FastifyRequest'], [
      `request.auth: 'request.auth' is possibly 'null'.`,
    ])
    t.strictSame(found['the same hook behind a function'], [])
    t.strictSame(found['a hook that reads some members only'], [])
  })
})
