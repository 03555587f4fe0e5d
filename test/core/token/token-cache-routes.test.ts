/** Cached tokens: each route decides for itself, and application hooks are called as usual. */
import t from 'tap'
import { anyOf } from '../../../src/index.ts'
import { CLIENT, machineToken, outcome } from '../../support/forge.ts'
import { SECOND } from '../../support/key-endpoint.ts'
import { ask, authorization, coreGuard, running } from '../../support/running-server.ts'

t.test('a changed lookup result applies after its cache time', async (t) => {
  let listed = true
  let asked = 0
  const clientId = (id: string): boolean => {
    asked += 1
    return listed && id === CLIENT
  }
  const { server, clocks } = running(t, { clientId })
  const guard = server.guard()
  t.equal(await ask(guard), 'accepted')
  t.equal(coreGuard(server)(authorization) instanceof Promise, false, 'the answer is kept as well')
  listed = false
  clocks.advance(59 * SECOND)
  t.equal(await ask(guard), 'accepted')
  clocks.advance(SECOND)
  t.equal(await ask(guard), 'ERR_CLIENT_NOT_ALLOWED')
  listed = true
  clocks.advance(10 * SECOND)
  t.equal(await ask(guard), 'accepted')
  t.equal(asked, 3)
})

t.test('both checks run on every request', async (t) => {
  const asked: string[] = []
  let allowed = true
  const { server } = running(t, { check: () => asked.push('server') > 0 })
  const guard = server.guard({
    check: (_token, request) => {
      asked.push(`route ${request}`)
      return allowed
    },
  })
  t.equal(await outcome(guard, authorization, 'one'), 'accepted')
  t.equal(await outcome(guard, authorization, 'two'), 'accepted')
  allowed = false
  t.equal(await outcome(guard, authorization, 'three'), 'ERR_ACCESS_DENIED')
  t.strictSame(asked, ['server', 'route one', 'server', 'route two', 'server', 'route three'])
})

t.test('a token accepted by one route is still rejected by another', async (t) => {
  const { server } = running(t)
  t.equal(await ask(server.guard()), 'accepted')
  for (let turn = 0; turn < 2; turn += 1) {
    t.equal(await ask(server.guard({ scopes: 'orders/read' })), 'accepted')
    t.equal(await ask(server.guard({ scopes: 'orders/admin' })), 'ERR_SCOPE_INSUFFICIENT')
    t.equal(await ask(server.guard({ scopes: ['orders/read', 'x/y'] })), 'ERR_SCOPE_INSUFFICIENT')
    t.equal(await ask(server.guard({ clientId: 'another' })), 'ERR_ACCESS_DENIED')
    t.equal(await ask(server.guard({ scopes: 'orders/read', clientId: CLIENT })), 'accepted')
  }
})

t.test('however many routes there are, each decides for itself', async (t) => {
  const { server } = running(t)
  const guards = Array.from({ length: 80 }, (_, index) => server.guard({ scopes: `x/${index}` }))
  for (const odd of [0, 1]) {
    const scope = Array.from({ length: 40 }, (_, index) => `x/${index * 2 + odd}`).join(' ')
    const value = `Bearer ${machineToken({ scope })}`
    for (let turn = 0; turn < 3; turn += 1) {
      for (const [index, guard] of guards.entries()) {
        const expected = index % 2 === odd ? 'accepted' : 'ERR_SCOPE_INSUFFICIENT'
        if ((await ask(guard, value)) !== expected) t.fail(`route ${index} in turn ${turn}`)
      }
    }
  }
})

t.test('routes that ask alike share an answer, routes that only look alike do not', async (t) => {
  const { server } = running(t)
  const known = ['orders/read', 'orders/write'] as const
  const admin = 'orders/admin'
  // Each refusal after what it could be mistaken for was let in.
  for (const [requirement, expected] of [
    [{ scopes: anyOf(...known) }, 'accepted'],
    [{ scopes: anyOf(admin, 'x/y') }, 'ERR_SCOPE_INSUFFICIENT'],
    [{ scopes: anyOf(known[0], admin) }, 'accepted'],
    [{ scopes: [known[0], admin] }, 'ERR_SCOPE_INSUFFICIENT'],
    [{ clientId: CLIENT }, 'accepted'],
    [{ clientId: 'another' }, 'ERR_ACCESS_DENIED'],
    [{ clientId: [CLIENT, 'another'] }, 'accepted'],
    [{ clientId: ['another', 'other'] }, 'ERR_ACCESS_DENIED'],
    [{}, 'accepted'],
    [{ scopes: admin }, 'ERR_SCOPE_INSUFFICIENT'],
  ] as const) {
    t.equal(await ask(server.guard(requirement)), expected, JSON.stringify(requirement))
  }
})

t.test('a single check runs on every request', async (t) => {
  let asked = 0
  const check = (): boolean => {
    asked += 1
    return asked % 4 !== 3
  }
  const routes = [running(t, { check }).server.guard(), running(t).server.guard({ check })]
  for (const guard of routes) {
    const answers = []
    for (let use = 0; use < 4; use += 1) answers.push(await ask(guard))
    t.strictSame(answers, ['accepted', 'accepted', 'ERR_ACCESS_DENIED', 'accepted'])
  }
  t.equal(asked, 8)
})
