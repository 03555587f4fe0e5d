/** Access decisions, and which of their results are remembered per token. */
import t from 'tap'
import { AccessDecision, type VerifiedCredential } from '../../src/core/authorize.ts'
import type { ServerOptions } from '../../src/core/options/options.ts'
import { compileRequirement } from '../../src/core/requirement.ts'
import type { MachineClaims } from '../../src/core/token/claims.ts'
import type { Issuer } from '../../src/core/token/verify.ts'
import { AuthError, anyOf, type VerifiedToken } from '../../src/index.ts'
import { CLIENT } from '../support/forge.ts'

/** Without checks, every decision is synchronous. */
function createAccess() {
  const errors = {
    createError: (code: string) => Object.assign(Object.create(AuthError.prototype), { code }),
    createScopeHeaders: () => new Map(),
  }
  const access = new AccessDecision({} as ServerOptions, errors as never)
  const createRoute = (requirement: object) =>
    access.createRoute(compileRequirement(requirement, 'requirement'))
  return { access, createRoute }
}

/** A token that counts how often its scopes are read. */
function credentialWith(scope: string) {
  const reads = { count: 0 }
  const token = {
    clientId: CLIENT,
    get scopes(): ReadonlySet<string> {
      reads.count += 1
      return new Set(scope.split(' '))
    },
  } as VerifiedToken
  const credential: VerifiedCredential = {
    token,
    issuer: { lookup: undefined } as Issuer,
    satisfiedRoutes: 0,
  }
  return { credential, reads, claims: { scope } as MachineClaims }
}

t.test('thirty requirements have a bit each, equal ones share it, the rest has none', async (t) => {
  const { createRoute } = createAccess()
  for (let index = 0; index < 30; index += 1) {
    t.equal(createRoute({ scopes: `a/${index}` }).bit, 2 ** index)
  }
  t.equal(createRoute({ scopes: 'a/30' }).bit, 0, 'the bits fill a small integer')
  t.equal(createRoute({ scopes: anyOf('a/1', 'a/2') }).bit, 0)
  t.equal(createRoute({ scopes: ['a/7'] }).bit, 2 ** 7)
  t.equal(createRoute({ scopes: 'a/7', check: () => true }).bit, 2 ** 7, 'a check runs each time')
})

t.test('a requirement that a token satisfied is not checked again', async (t) => {
  const { access, createRoute } = createAccess()
  const [first, second] = [createRoute({ scopes: 'a/x' }), createRoute({ scopes: ['a/x', 'a/y'] })]
  const { credential, reads } = credentialWith('a/x a/y')
  t.equal(access.decideAccess(credential, first, undefined), credential.token)
  t.equal(credential.satisfiedRoutes, first.bit)
  t.equal(reads.count, 1)
  t.equal(access.decideAccess(credential, first, undefined), credential.token)
  t.equal(reads.count, 1)
  t.equal(access.decideAccess(credential, second, undefined), credential.token)
  t.equal(credential.satisfiedRoutes, first.bit + second.bit)
})

t.test('a rejection is not remembered', async (t) => {
  const { access, createRoute } = createAccess()
  const { credential } = credentialWith('a/x')
  for (const [requirement, code] of [
    [{ scopes: 'a/y' }, 'ERR_SCOPE_INSUFFICIENT'],
    [{ clientId: 'another' }, 'ERR_ACCESS_DENIED'],
  ] as const) {
    const route = createRoute(requirement)
    for (let use = 0; use < 2; use += 1) {
      t.throws(() => access.decideAccess(credential, route, undefined), { code })
      t.equal(credential.satisfiedRoutes, 0)
    }
  }
})

t.test('decoded claims are read instead of decoding the token', async (t) => {
  const { access, createRoute } = createAccess()
  const { credential, reads, claims } = credentialWith('a/x a/y')
  t.equal(
    access.decideAccess(credential, createRoute({ scopes: 'a/y' }), undefined, claims),
    credential.token,
  )
  t.throws(
    () => access.decideAccess(credential, createRoute({ scopes: 'a/z' }), undefined, claims),
    {
      code: 'ERR_SCOPE_INSUFFICIENT',
    },
  )
  t.equal(reads.count, 0)
})
