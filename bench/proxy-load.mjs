/** Token requests over keep-alive connections, one at a time on each; every answer's status is looked at. */
import { once } from 'node:events'
import { connect } from 'node:net'

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

async function open(port) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  let received = ''
  let next
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1')
    const end = received.indexOf('\r\n\r\n')
    if (end === -1) return
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(received)[1])
    if (received.length < end + 4 + length) return
    const status = Number(received.slice(9, 12))
    received = ''
    next(status)
  })
  return {
    socket,
    send: (bytes) =>
      new Promise((resolve) => {
        next = resolve
        socket.write(bytes)
      }),
  }
}

/** Connections to one port, and a way to send so many requests over them. */
export async function openLoad(port, count) {
  const connections = await Promise.all(Array.from({ length: count }, () => open(port)))
  return {
    async run(requests, total) {
      let sent = 0
      let wrong = 0
      await Promise.all(
        connections.map(async ({ send }) => {
          while (sent < total) {
            sent += 1
            if ((await send(requests[sent % requests.length])) !== 200) wrong += 1
          }
        }),
      )
      if (wrong > 0) throw new Error(`${wrong} of ${total} answers were not 200`)
    },
    close: () => {
      for (const { socket } of connections) socket.destroy()
    },
  }
}
