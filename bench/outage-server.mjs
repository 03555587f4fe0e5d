/**
 * The server of an outage, in a process of its own. Its clocks leap on demand, so that even the
 * longest step of backoff is over every second.
 */
import Fastify from 'fastify'
import { cognitoAuth } from '../dist/adapters/fastify/index.js'
import { secondsWaited } from './waited.mjs'

/** Seconds. The timeout ends what hangs before the next attempt, and before a slice is over. */
const keyStore = { refreshInterval: 60, fetchTimeout: 0.45 }
/** Milliseconds, more than the longest backoff and the latest refresh: after a leap a fetch is due. */
const LEAP = 70_000

let ahead = 0
let fetches = 0
let attempts
let app

function leap() {
  ahead += LEAP
}

async function open(options) {
  app = Fastify()
  await app.register(cognitoAuth, {
    ...options,
    keyStore,
    // Both leap, or the key store takes the process for one that was frozen.
    now: () => Date.now() + ahead,
    monotonicNow: () => performance.now() + ahead,
    fetch: (...asked) => {
      fetches += 1
      return fetch(...asked)
    },
  })
  app.get('/orders', { config: { auth: { scopes: 'orders/read' } } }, async (request) => ({
    caller: request.auth.clientId,
  }))
  await app.listen({ port: 0, host: '127.0.0.1' })
}

/** One attempt per second, in the middle of it: each begins and ends within a slice. */
function attemptEverySecond() {
  attempts = setTimeout(() => {
    leap()
    attempts = setInterval(leap, 1000)
  }, 500)
}

const actions = {
  open: ({ options }) => open(options),
  leap,
  attempt: attemptEverySecond,
  rest: () => clearInterval(attempts),
}

process.on('message', async (message) => {
  await actions[message.action](message)
  const { user, system } = process.cpuUsage()
  process.send({
    port: app.server.address().port,
    cpu: user + system,
    waited: secondsWaited(),
    fetches,
    failing: app.cognito.status().userPools[0].lastError !== null,
  })
})
process.on('disconnect', () => process.exit())
