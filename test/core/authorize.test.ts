/** What is remembered of a token's answers: enough not to ask twice, never more than was found out. */
import t from 'tap'
import { AccessDecision, type VerifiedCredential } from '../../src/core/authorize.ts'
import type { ServerOptions } from '../../src/core/options/options.ts'
import { compileRequirement } from '../../src/core/requirement.ts'
import type { MachineClaims } from '../../src/core/token/claims.ts'
import type { Issuer } from '../../src/core/token/verify.ts'
import { AuthError, anyOf, type VerifiedToken } from '../../src/index.ts'
import { CLIENT } from '../support/forge.ts'

/** Without checks: everything is decided at once. */
function open() {
  const refusals = {
    refuse: (code: string) => Object.assign(Object.create(AuthError.prototype), { code }),
    headersOf: () => new Map(),
  }
  const admission = new AccessDecision({} as ServerOptions, refusals as never)
  const routeOf = (requirement: object) =>
    admission.routeOf(compileRequirement(requirement, 'requirement'))
  return { admission, routeOf }
}

/** A token that counts how often its scopes are read. */
function known(scope: string, met = 0) {
  const reads = { count: 0 }
  const token = {
    clientId: CLIENT,
    get scopes(): ReadonlySet<string> {
      reads.count += 1
      return new Set(scope.split(' '))
    },
  } as VerifiedToken
  const it: VerifiedCredential = {
    token,
    issuer: { lookup: undefined } as Issuer,
    satisfiedRoutes: met,
  }
  return { it, reads, claims: { scope } as MachineClaims }
}

t.test('thirty needs have a bit each, what asks alike shares one, the rest has none', async (t) => {
  const { routeOf } = open()
  for (let index = 0; index < 30; index += 1) {
    t.equal(routeOf({ scopes: `a/${index}` }).bit, 2 ** index)
  }
  t.equal(routeOf({ scopes: 'a/30' }).bit, 0, 'a bit more would be the mark of the cache')
  t.equal(routeOf({ scopes: anyOf('a/1', 'a/2') }).bit, 0)
  t.equal(routeOf({ scopes: ['a/7'] }).bit, 2 ** 7)
  t.equal(routeOf({ scopes: 'a/7', check: () => true }).bit, 2 ** 7, 'a check is asked each time')
})

t.test('what a token met once is not held against it again', async (t) => {
  const { admission, routeOf } = open()
  const [first, second] = [routeOf({ scopes: 'a/x' }), routeOf({ scopes: ['a/x', 'a/y'] })]
  const { it, reads } = known('a/x a/y')
  t.equal(admission.admit(it, first, undefined), it.token)
  t.equal(it.satisfiedRoutes, first.bit)
  t.equal(reads.count, 1)
  t.equal(admission.admit(it, first, undefined), it.token)
  t.equal(reads.count, 1)
  t.equal(admission.admit(it, second, undefined), it.token)
  t.equal(it.satisfiedRoutes, first.bit + second.bit)
})

t.test('of a refusal nothing is remembered', async (t) => {
  const { admission, routeOf } = open()
  const { it } = known('a/x')
  for (const [requirement, code] of [
    [{ scopes: 'a/y' }, 'ERR_SCOPE_INSUFFICIENT'],
    [{ clientId: 'another' }, 'ERR_ACCESS_DENIED'],
  ] as const) {
    const route = routeOf(requirement)
    for (let use = 0; use < 2; use += 1) {
      t.throws(() => admission.admit(it, route, undefined), { code })
      t.equal(it.satisfiedRoutes, 0)
    }
  }
})

t.test('claims at hand are looked at instead of decoding the token', async (t) => {
  const { admission, routeOf } = open()
  const { it, reads, claims } = known('a/x a/y')
  t.equal(admission.admit(it, routeOf({ scopes: 'a/y' }), undefined, claims), it.token)
  t.throws(() => admission.admit(it, routeOf({ scopes: 'a/z' }), undefined, claims), {
    code: 'ERR_SCOPE_INSUFFICIENT',
  })
  t.equal(reads.count, 0)
})
