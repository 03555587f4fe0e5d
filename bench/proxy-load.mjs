/** Token requests over keep-alive connections, one at a time on each; every answer's status is looked at. */
import { openConnections } from './connection.mjs'

/** As long as one of Cognito's with a few scopes. */
export const token = `${'e'.repeat(120)}.${'p'.repeat(560)}.${'s'.repeat(342)}`

const CLIENTS = 200

function requestBytes(index, method) {
  const clientId = `client${String(index).padStart(20, '0')}`
  const secret = String(index).padStart(51, 's3cret')
  const form = new URLSearchParams({ grant_type: 'client_credentials' })
  let authorization = ''
  if (method === 'basic') {
    const pair = Buffer.from(`${clientId}:${secret}`).toString('base64')
    authorization = `authorization: Basic ${pair}\r\n`
  } else {
    form.set('client_id', clientId)
    form.set('client_secret', secret)
  }
  form.set('scope', 'orders/read orders/write')
  const body = form.toString()
  const head = `POST /oauth2/token HTTP/1.1\r\nhost: localhost\r\n${authorization}content-type: application/x-www-form-urlencoded\r\n`
  return Buffer.from(`${head}content-length: ${body.length}\r\n\r\n${body}`)
}

/** The requests of a load by the method of their credentials. */
export function requestsOf(method) {
  return Array.from({ length: CLIENTS }, (_, index) => requestBytes(index, method))
}

/** Connections to one port, and a way to send so many requests over them. */
export async function openLoad(port, count) {
  const connections = await openConnections(port, count)
  return {
    async run(requests, total) {
      let sent = 0
      const take = () => {
        if (sent === total) return undefined
        sent += 1
        return { bytes: requests[sent % requests.length], expected: 200 }
      }
      const wrong = await Promise.all(connections.map((connection) => connection.drain(take)))
      const count = wrong.reduce((sum, one) => sum + one, 0)
      if (count > 0) throw new Error(`${count} of ${total} answers were not 200`)
    },
    close: () => {
      for (const connection of connections) connection.close()
    },
  }
}
