/** One proxy process under soak. Records when it sends Cognito a request, refused connections included. */
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import { redisStore, tokenProxy } from '../../dist/tokens/proxy/index.js'
import { answerCalls } from './calls.mjs'
import { readLoopDelay, readStalls } from './loop-delay.mjs'
import { clock } from './scale.mjs'

/** Longer than the soak is idle: a connection closed under a request would look like a fault. */
const KEEP_ALIVE_MS = 600_000

const requests = []

function recordingFetch(url, init) {
  requests.push({ at: clock(), clientId: new URLSearchParams(init.body).get('client_id') })
  return fetch(url, init)
}

async function open({ redisPort, clockOffsetMs, ...options }) {
  const app = Fastify({ keepAliveTimeout: KEEP_ALIVE_MS })
  await app.register(tokenProxy, {
    ...options,
    store: redisStore({ redis: new Redis(redisPort, '127.0.0.1', { lazyConnect: true }) }),
    now: () => Date.now() + clockOffsetMs,
    fetch: recordingFetch,
  })
  app.get('/heartbeat', async () => 'ok')
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server.address().port
}

answerCalls({ open, requests: () => requests, readLoopDelay, readStalls })
