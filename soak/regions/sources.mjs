/** Token clients and proxies with two Regions, over both token APIs, and a record of their token requests. */
import Fastify from 'fastify'
import { createTokenClient } from '../../dist/tokens/client/index.js'
import { tokenProxy } from '../../dist/tokens/proxy/index.js'

/** Seconds that tokens last for client and proxy. The pool's last for an hour. */
const LIFETIME = 8

function createRecordingFetch(primaryPort, clock, requests) {
  return async (url, init) => {
    const region = new URL(url).port === String(primaryPort) ? 'primary' : 'secondary'
    const request = { region, sentAt: clock(), endedAt: undefined, isIssued: false }
    requests.push(request)
    try {
      const response = await fetch(url, init)
      if (response.status !== 200) return response
      const body = await response.json()
      if (body.ClientAuthenticationResult) body.ClientAuthenticationResult.ExpiresIn = LIFETIME
      else body.expires_in = LIFETIME
      request.isIssued = true
      return Response.json(body)
    } finally {
      request.endedAt = clock()
    }
  }
}

function startClient(options, clientId, secret, requests) {
  const client = createTokenClient({ ...options, clientId, clientSecret: secret })
  const get = async (scopes) => (await client.getToken({ scopes })).expiresAt * 1000
  return {
    requests,
    calls: (scopes) => scopes.map((scope) => () => get(scope)),
    close: async () => client.close(),
  }
}

async function startProxy(options, clientIds, secret, requests) {
  const app = Fastify()
  await app.register(tokenProxy, options)
  const get = async (clientId, scope) => {
    const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: secret }
    const { statusCode, body } = await app.inject({
      method: 'POST',
      url: '/oauth2/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ ...form, scope }).toString(),
    })
    if (statusCode !== 200) throw new Error(`${statusCode} ${body}`)
    return Date.now() + JSON.parse(body).expires_in * 1000
  }
  return {
    requests,
    calls: (scopes) =>
      scopes.flatMap((scope) => clientIds.map((clientId) => () => get(clientId, scope))),
    close: () => app.close(),
  }
}

export async function startSources(pool, { clientIds, secret, clock }) {
  const { replica, port } = pool
  const apis = [
    { tokenEndpoint: [pool.tokenEndpoint, replica.tokenEndpoint] },
    { userPoolsApi: [pool.userPoolsApi, replica.userPoolsApi] },
  ]
  const sources = []
  for (const api of apis) {
    const record = () => {
      const requests = []
      return { requests, options: { ...api, fetch: createRecordingFetch(port, clock, requests) } }
    }
    for (const clientId of clientIds) {
      const { requests, options } = record()
      sources.push(startClient(options, clientId, secret, requests))
    }
    const { requests, options } = record()
    sources.push(await startProxy(options, clientIds, secret, requests))
  }
  return sources
}
