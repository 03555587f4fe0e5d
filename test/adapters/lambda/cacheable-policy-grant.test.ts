/** Kept policies, path by path: over every path of a small alphabet they grant what is decided. */
import t from 'tap'
import { compilePolicy } from '../../../src/adapters/lambda/policy-region.ts'
import { DENY_ALL, type RouteRequirement, readRoutes } from '../../../src/adapters/lambda/routes.ts'
import { isSatisfiedBy } from '../../../src/core/authorize.ts'
import { compileRequirement } from '../../../src/core/requirement.ts'
import type { VerifiedToken } from '../../../src/core/token/verified-token.ts'
import { anyOf } from '../../../src/index.ts'
import { seeded } from '../../support/forge.ts'
import { allows } from '../../support/gateway.ts'
import { arnOf, STAGE } from '../../support/lambda-events.ts'

const READ = { scopes: 'orders/read' }
const BOTH = { scopes: ['orders/read', 'orders/write'] }
const EITHER = { scopes: anyOf('orders/read', 'orders/write') }
const TEXTS = ['a', 'b', 'n', '']
const METHODS = ['GET', 'POST']
const ALL = paths(5)
const TOKENS = [[], ['read'], ['write'], ['read', 'write']].flatMap((scopes) =>
  ['one', 'two'].map((clientId) => tokenOf(clientId, scopes)),
)

/** Every path of up to so many segments, empty ones and slashes at the end included. */
function paths(segments: number): string[] {
  if (segments === 0) return ['']
  const shorter = paths(segments - 1)
  const longest = shorter.filter((path) => path.split('/').length === segments)
  return [...shorter, ...longest.flatMap((path) => TEXTS.map((text) => `${path}/${text}`))]
}

function tokenOf(clientId: string, names: readonly string[]): VerifiedToken {
  return { clientId, scopes: new Set(names.map((name) => `orders/${name}`)) } as never
}

interface Case {
  readonly routes: Readonly<Record<string, object>>
  readonly fallback?: object | undefined
  readonly methods?: readonly string[]
  readonly paths?: readonly string[]
}

/** Requests that a cached policy allows although a fresh decision would deny them. */
function wronglyGranted({ routes, fallback, methods = METHODS, paths = ALL }: Case): string[] {
  const table = readRoutes(routes)
  const rest: RouteRequirement =
    fallback === undefined ? DENY_ALL : compileRequirement(fallback, 'default')
  const reachOf = compilePolicy(table, rest)
  return TOKENS.flatMap((token) => {
    const granted = grants(reachOf(token))
    const met = (need: RouteRequirement): boolean => need !== false && isSatisfiedBy(token, need)
    return methods.flatMap((method) =>
      paths
        .filter((path) => granted(`${method}${path}`))
        .filter((path) => !met(table.findByPath(method, path || '/')?.requirement ?? rest))
        .map((path) => `${method} ${path} for ${[...token.scopes]}`),
    )
  })
}

/** What `gateway.ts` says, with each pattern compiled once. */
function grants({ allow, deny }: ReturnType<ReturnType<typeof compilePolicy>>) {
  const expressions = (globs: readonly string[]): RegExp[] =>
    globs.map((glob) => {
      const parts = glob.split('*').map((part) => part.replace(/[^A-Za-z0-9]/g, '\\$&'))
      return new RegExp(`^${parts.join('.*')}$`, 's')
    })
  const [allowed, denied] = [expressions(allow), expressions(deny)]
  return (text: string): boolean =>
    allowed.some((it) => it.test(text)) && !denied.some((it) => it.test(text))
}

/** Refused at creation is as good as exact. */
function isExact(it: Case): boolean | string[] {
  try {
    const wrong = wronglyGranted(it)
    return wrong.length === 0 || wrong.slice(0, 3)
  } catch (error) {
    return (error as { code?: string }).code === 'ERR_OPTION_INVALID'
  }
}

t.test('a wildcard that takes the plain text of a wider route', async (t) => {
  const routes = { 'GET /{x}/a/b/n': READ, 'GET /{x}/a/{rest+}': BOTH }
  // `/n/a/a/b/n` is of the wider route; the narrow one’s wildcard takes `n/a`.
  for (const fallback of [READ, {}]) t.equal(isExact({ routes, fallback }), true)
})

t.test('encoded literal text does not bypass its route', async (t) => {
  const routes = { 'GET /admin-2/A+b/caf%C3%A9': BOTH, 'GET /{rest+}': READ }
  const token = tokenOf('one', ['read'])
  const ways = ['%61dmin-2', 'admin%2D2', 'admin%2d2', 'admin-%32'].map(
    (it) => `${it}/A+b/caf%C3%A9`,
  )
  ways.push('admin-2/%41+b/caf%C3%A9', 'admin-2/A%2Bb/caf%C3%A9', 'admin-2/A%2bb/caf%C3%A9')
  ways.push('admin-2/A+b/caf%c3%A9', 'admin-2/A+b/caf%C3%a9', 'admin-2/A+b/caf%c3%A9')
  for (const [fallback, open] of [
    [DENY_ALL, 'GET/user%40example.com/a%20b'],
    [compileRequirement({}, 'default'), 'POST/user%40example.com'],
  ] as const) {
    const granted = grants(compilePolicy(readRoutes(routes), fallback)(token))
    for (const path of ways) t.notOk(granted(`GET/${path}`), path)
    t.ok(granted(open))
  }
})

t.test('two slashes and nothing else are a path of their own', async (t) => {
  t.equal(isExact({ routes: { 'GET /': BOTH, 'GET /{rest+}': READ } }), true)
  t.equal(isExact({ routes: { 'GET /{rest+}': READ } }), true)
})

t.test('the default is no way around a route by another method', async (t) => {
  const routes = { 'ANY /a/{rest+}': BOTH }
  t.equal(isExact({ routes, fallback: {}, methods: ['TRACE', 'PROPFIND'] }), true)
})

t.test('the default is no way around the root by an ARN that ends with the method', async (t) => {
  t.equal(isExact({ routes: { 'GET /': BOTH }, fallback: {}, paths: [''] }), true)
})

t.test('over random routes every path is decided alike', async (t) => {
  const random = seeded(29)
  const pick = <T>(of: readonly T[]): T => of[random(of.length)] as T
  const needs = [READ, READ, {}, BOTH, EITHER, { clientId: 'one' }, { ...EITHER, clientId: 'one' }]
  let kept = 0
  for (let round = 0; round < 250; round += 1) {
    const few = [pick(needs), pick(needs)]
    const routes: Record<string, object> = {}
    for (let route = 0; route <= random(4); route += 1) {
      const path = Array.from({ length: random(5) }, () => pick(['a', 'a', 'b', '{x}', '{x}']))
      if (random(4) === 0) path.push('{rest+}')
      routes[`${pick(['GET', 'ANY', 'POST'])} /${path.join('/')}`] = pick(few)
    }
    const it = { routes, fallback: pick([undefined, {}, pick(few)]), paths: ALL }
    try {
      const wrong = wronglyGranted(it)
      kept += 1
      if (wrong.length > 0) t.fail(JSON.stringify([wrong.slice(0, 3), routes, it.fallback]))
    } catch (error) {
      t.equal((error as { code?: string }).code, 'ERR_OPTION_INVALID')
    }
  }
  t.ok(kept > 80, `${kept} kept`)
})

t.test('patterns are compared as the gateway does it', async (t) => {
  const routes = readRoutes({ "GET /a.b/$x/{id}/(c)'": BOTH })
  const rest = compileRequirement({}, 'default')
  const reach = compilePolicy(routes, rest)(tokenOf('one', ['read']))
  const granted = grants(reach)
  const statement = (Effect: string, globs: readonly string[]) => ({
    Effect,
    Action: 'execute-api:Invoke',
    Resource: globs.map((glob) => `${STAGE}/${glob}`),
  })
  const Statement = [statement('Allow', reach.allow), statement('Deny', reach.deny)]
  const policyDocument = { Version: '2012-10-17', Statement }
  for (const path of ["/a.b/$x/1/(c)'", "/aXb/$x/1/(c)'", "/a.b/$x/1/2/(c)'", '/a.b/y']) {
    const result = { principalId: 'one', policyDocument } as never
    t.equal(granted(`GET${path}`), allows(result, arnOf({ path })), path)
  }
})
