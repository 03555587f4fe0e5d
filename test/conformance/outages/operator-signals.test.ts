/** What operators see of an outage: status, one log line each way, and events, on every surface. */
import t from 'tap'
import type { Logger } from '../../../src/index.ts'
import { MINUTE, SECOND } from '../../support/key-endpoint.ts'
import { listen, told } from '../../support/listen.ts'
import { surfaces } from '../behavior/surfaces.ts'
import { CLIENT, openStage } from './surface-fixture.ts'

type Line = readonly [level: string, message: string, code: unknown]

function captured(): { logger: Logger; lines: Line[] } {
  const lines: Line[] = []
  const at =
    (level: string) =>
    (details: object, message: string): void => {
      lines.push([level, message, (details as { code?: string }).code])
    }
  return { logger: { info: at('info'), warn: at('warn'), error: at('error') }, lines }
}

const LOCAL = 'cognito-m2m: local user pool: its tokens prove nothing, for development only'
const NO_KEYS = 'cognito-m2m: no key set yet: requests with a token get 503'
const STALE = 'cognito-m2m: the key set is stale'
const FRESH = 'cognito-m2m: the key set is fresh again'

for (const surface of surfaces) {
  t.test(`${surface.name}: one log line when keys go bad, one when they recover`, async (t) => {
    const { logger, lines } = captured()
    const stage = await openStage(t, surface, { fault: '500', options: () => ({ logger }) })
    const { pool, clocks, door, ask } = stage
    t.equal((await ask()).code, 'ERR_KEYS_UNAVAILABLE')
    for (let attempt = 0; attempt < 5; attempt += 1) {
      clocks.advance(MINUTE)
      t.equal((await ask()).code, 'ERR_KEYS_UNAVAILABLE')
    }
    t.strictSame(lines.splice(0), [
      ['warn', LOCAL, undefined],
      ['warn', NO_KEYS, 'ERR_JWKS_STATUS'],
    ])
    await pool.setJwksFault(null)
    clocks.advance(MINUTE)
    t.equal((await ask()).status, 200)
    t.strictSame(lines.splice(0), [['info', FRESH, undefined]])

    await pool.setJwksFault('garbage')
    for (const [minutes, logged] of [
      [6, []],
      [10, [['error', STALE, 'ERR_JWKS_INVALID']]],
      [14, []],
    ] as const) {
      clocks.advance(minutes * MINUTE)
      const failed = told('cognito-m2m:jwks-error')
      t.equal((await ask()).status, 200)
      await failed
      t.strictSame(lines.splice(0), logged, `${minutes} minutes later`)
    }
    const [status] = door.server.status().userPools
    t.match(status, { ready: true, keysAge: 30 * 60, lastError: 'ERR_JWKS_INVALID' })
    t.ok((status?.nextAttempt as number) <= 60)
    await pool.setJwksFault(null)
    pool.rotateKeys({ keepOld: true })
    clocks.advance(MINUTE)
    t.equal((await ask()).status, 200)
    t.strictSame(lines, [['info', FRESH, undefined]])
  })

  t.test(`${surface.name}: every decision of an outage is reported with its code`, async (t) => {
    const { of } = listen(t)
    const { pool, clocks, door, ask } = await openStage(t, surface, { fault: '503' })
    const { instance } = door.server.status()
    const decisions = (): unknown[] =>
      of('cognito-m2m:decision', instance).map(({ code, clientId, userPoolId }) => [
        ...[code, clientId, userPoolId],
      ])
    const { userPoolId } = pool.options()
    await ask()
    await ask('garbage')
    await pool.setJwksFault(null)
    clocks.advance(5 * SECOND)
    await ask()
    await ask(pool.tampered.expired())
    t.strictSame(decisions(), [
      ['ERR_KEYS_UNAVAILABLE', null, userPoolId],
      ['ERR_TOKEN_INVALID', null, null],
      [null, CLIENT, userPoolId],
      ['ERR_TOKEN_EXPIRED', null, userPoolId],
    ])
    t.match(of('cognito-m2m:jwks-error', instance), [
      { code: 'ERR_JWKS_STATUS', status: 503, keysAge: null, nextAttempt: 5 },
    ])
    t.match(of('cognito-m2m:fetch', instance), [{ code: 'ERR_JWKS_STATUS' }, { code: null }])
    t.match(of('cognito-m2m:jwks-change', instance), [{ keys: 2, added: 2, removed: 0 }])
  })
}
