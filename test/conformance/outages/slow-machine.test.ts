/** A machine so busy that everything takes longer than usual: nothing is an outage because of it. */
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { openStage } from './surface-fixture.ts'
import { isReached, onEverySurface } from './surface-proof.ts'

onEverySurface(
  t,
  'a stage waits for an endpoint that takes as long as on a busy machine',
  async (t, surface) => {
    const { ask } = await openStage(t, surface, {
      prepare: async (pool) => {
        const keys = JSON.stringify(pool.jwks())
        await pool.setJwksFault(async (_request, response) => {
          await setTimeout(400)
          response.writeHead(200, { 'content-type': 'application/json' }).end(keys)
        })
      },
    })
    isReached(t, await ask(), 'after 400 ms')
  },
)
