/** One token request of a caller to a proxy process, and what came of it. Never rejects. */
import { Agent, request } from 'node:http'
import { clock } from './scale.mjs'
import { decodeToken } from './token.mjs'

/** A request without an answer for so long has none. */
const PATIENCE_MS = 20_000
const FORM = 'application/x-www-form-urlencoded'

/** As many connections as callers wait at the same time, kept alive. */
const agent = new Agent({ keepAlive: true, scheduling: 'lifo' })

export const closeConnections = () => agent.destroy()

/** @returns `status`, `headers` and `text`, or `code` where there was no answer. */
function exchange(options, body) {
  return new Promise((resolve) => {
    const failed = (error) => resolve({ code: error.code ?? error.message })
    const sent = request({ agent, host: '127.0.0.1', ...options })
    sent.setTimeout(PATIENCE_MS, () => sent.destroy(new Error('no answer')))
    sent.once('error', failed)
    sent.once('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.once('error', failed)
      response.on('data', (chunk) => {
        text += chunk
      })
      response.once('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, text }),
      )
    })
    sent.end(body)
  })
}

function parse(text) {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

/** @returns The answer as answers.mjs takes it. */
export async function requestToken(port, { clientId, scope }) {
  const credentials = { client_id: clientId, client_secret: `secret of ${clientId}`, scope }
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...credentials }).toString()
  const headers = { 'content-type': FORM, 'content-length': body.length }
  const sentAt = clock()
  const options = { port, method: 'POST', path: '/oauth2/token', headers }
  const { status, code, headers: received, text } = await exchange(options, body)
  const answeredAt = clock()
  const { access_token: token, expires_in: expiresIn } = status === 200 ? parse(text) : {}
  return {
    ...{ clientId, scope, sentAt, answeredAt, status, code, expiresIn },
    token: token === undefined ? undefined : decodeToken(token),
    retryAfter: received?.['retry-after'],
  }
}

/** @returns How long a request took that needs no store and no Cognito, in milliseconds. */
export async function heartbeat(port) {
  const sentAt = clock()
  await exchange({ port, path: '/heartbeat' })
  return clock() - sentAt
}
