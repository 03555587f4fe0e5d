/** What a handler does to what it was given, the next request with the same token does not see. */
import t, { type Test } from 'tap'
import type { VerifiedToken } from '../../../src/index.ts'
import type { Surface } from '../behavior/endpoint.ts'
import { openStage } from './surface-fixture.ts'
import { isReached, onEverySurface } from './surface-proof.ts'

const SCOPES = 'orders/read orders/write'

/** Every way to reach into the token; each may throw or be ignored, none may work. */
function attacks(auth: VerifiedToken): readonly (() => unknown)[] {
  const token = auth as unknown as Record<string, unknown>
  const scopes = auth.scopes as unknown as Set<string>
  const claims = auth.claims as unknown as Record<string, unknown> & { nested: { roles: string[] } }
  const prototype = Object.getPrototypeOf(scopes) as object
  const yes = () => true
  return [
    () => scopes.add('admin/all'),
    () => scopes.delete('orders/read'),
    () => scopes.clear(),
    () => Set.prototype.add.call(scopes, 'admin/all'),
    () => Set.prototype.clear.call(scopes),
    () => Object.defineProperty(scopes, 'has', { value: yes }),
    () => Object.assign(prototype, { has: yes }),
    () => Object.defineProperty(prototype, 'has', { value: yes }),
    () => Object.defineProperty(prototype.constructor, 'prototype', { value: Set.prototype }),
    () => Object.setPrototypeOf(scopes, new Set(['admin/all'])),
    () => Object.setPrototypeOf(token, { clientId: 'other' }),
    () => Object.assign(token, { clientId: 'other' }),
    () => Object.defineProperty(token, 'subject', { get: () => 'other' }),
    () => Object.assign(token, { tenant: 'other' }),
    () => Reflect.deleteProperty(token, 'expiresAt'),
    () => Object.assign(claims, { client_id: 'other' }),
    () => claims.nested.roles.push('admin'),
    () => Object.assign(claims.nested, { roles: ['admin'] }),
    () => Reflect.deleteProperty(claims, 'nested'),
  ]
}

function tried(attack: () => unknown): void {
  try {
    attack()
  } catch {
    // Rejected with an error, which is as good.
  }
}

/** Everything a handler can see of a token. */
function seen({ scopes, claims, ...members }: VerifiedToken): unknown {
  return {
    ...members,
    scopes: [...scopes],
    size: scopes.size,
    admin: scopes.has('admin/all'),
    claims: JSON.parse(JSON.stringify(claims)),
  }
}

async function attackedBetween(t: Test, surface: Surface): Promise<void> {
  const { pool, ask } = await openStage(t, surface)
  const token = pool.accessToken({
    scopes: SCOPES,
    claims: { nested: { roles: ['reader'] } },
  })
  const first = await ask(token)
  isReached(t, first, 'the first handler')
  const auth = first.auth as VerifiedToken
  const before = seen(auth)
  t.match(before, { clientId: 'billing', scopes: SCOPES.split(' '), admin: false })
  for (const attack of attacks(auth)) {
    tried(attack)
    const answer = await ask(token)
    isReached(t, answer, 'the next handler')
    t.strictSame(seen(answer.auth as VerifiedToken), before, `${attack}`)
    t.strictSame(seen(auth), before, 'nor does the first')
  }
}

/** API Gateway passes copies of strings and numbers to a backend: changes to them stay there. */
async function attackedContext(t: Test, surface: Surface): Promise<void> {
  const { pool, ask } = await openStage(t, surface)
  const token = pool.accessToken({ scopes: SCOPES })
  const first = await ask(token)
  isReached(t, first, 'the first backend')
  const { scopes } = first.auth as unknown as { scopes: Set<string> }
  scopes.add('admin/all')
  Object.assign(first.auth as object, { clientId: 'other' })
  const second = await ask(token)
  t.match(second.auth, { clientId: 'billing' })
  t.strictSame([...(second.auth as VerifiedToken).scopes], SCOPES.split(' '))
}

onEverySurface(
  t,
  'what a handler does to its token, no request sees, with the same token either',
  (t, surface) =>
    surface.name.startsWith('Lambda') ? attackedContext(t, surface) : attackedBetween(t, surface),
)
