/** Tokens that ended during another failure are not served again. */
import t from 'tap'
import { memoryStore } from '../../../src/tokens/proxy/index.ts'
import { readEncryptionKeys } from '../../../src/tokens/store/encryption-keys.ts'
import { deriveGroup } from '../../../src/tokens/store/sealing.ts'
import { Clocks, SECOND } from '../../support/key-endpoint.ts'
import {
  CLIENT,
  issue,
  READ,
  reply,
  setUpProxy,
  startProxy,
  startUpstream,
  until,
} from '../../support/proxy.ts'

t.test(
  'invalidated while Cognito fails to replace it: no longer what to fall back on',
  async (t) => {
    const { send, app, clocks, wire } = await setUpProxy(t)
    const first = (await send()).json['access_token']
    clocks.advance(3400 * SECOND)
    let open = (): void => {}
    wire.gate = new Promise<void>((resolve) => {
      open = resolve
    })
    wire.isDown = true
    const late = send()
    await until(() => wire.count === 2)
    await app.tokenProxy.invalidate({ clientId: CLIENT })
    open()
    const answer = await late
    t.equal(answer.status, 503)
    t.not(answer.json['access_token'], first)
  },
)

t.test(
  'a renewal that meets invalid_client drops its token although the record is gone',
  async (t) => {
    const upstream = { refuses: false }
    const { tokenEndpoint, requests } = await startUpstream(t, (response, _request, count) => {
      if (upstream.refuses) reply(response, 400, { error: 'invalid_client' })
      else reply(response, 200, issue(count))
    })
    const clocks = new Clocks()
    const store = memoryStore({ now: clocks.now, monotonicNow: clocks.monotonicNow })
    const { send, app } = await startProxy(t, {
      now: clocks.now,
      monotonicNow: clocks.monotonicNow,
      tokenEndpoint,
      store,
    })
    await send({ scope: READ })
    // As a store does that evicts, and as who can write to it may. The group is the records'.
    await store.invalidate(deriveGroup(`pairs of ${CLIENT}`, readEncryptionKeys(undefined)))
    upstream.refuses = true
    clocks.advance(2700 * SECOND)
    await send({ scope: READ })
    await until(() => app.tokenProxy.status().inFlight === 0 && requests.length === 2)
    t.equal((await send({ scope: READ })).status, 400)
    clocks.advance(11 * SECOND)
    t.equal((await send({ scope: READ })).status, 400, 'once the refusal is forgotten too')
  },
)
