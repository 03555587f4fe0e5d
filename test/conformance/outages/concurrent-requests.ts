/** Sends concurrent requests to one endpoint and counts the responses. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { encode } from '../../support/forge.ts'
import type { Door } from '../behavior/endpoint.ts'

/** Connections opened at once: what a listener keeps waiting by default is twice that. */
const SLICE = 250

/** How often each answer came: `200`, `401 ERR_KEY_UNKNOWN`. */
export type Tally = Map<string, number>

/** Requests that are ready to be sent to one door. */
export interface Crowd {
  /** All at once. The values passed to handlers are not returned, because they cannot be attributed. */
  ask(tokens: readonly string[]): Promise<Tally>
  close(): void
}

/**
 * @param connections To share where the door listens, opened before and kept alive; each carries its
 *   part of the requests without waiting for answers.
 */
export async function openCrowd({ ask, port }: Door, connections: number): Promise<Crowd> {
  if (port === undefined) {
    const one = async (token: string): Promise<string> => {
      const { status, code } = await ask(`Bearer ${token}`)
      return code === undefined ? `${status}` : `${status} ${code}`
    }
    return { ask: async (tokens) => tally(await Promise.all(tokens.map(one))), close: () => {} }
  }
  const sockets: Socket[] = []
  while (sockets.length < connections) {
    const slice = Array.from({ length: Math.min(SLICE, connections - sockets.length) }, () =>
      connect(port, '127.0.0.1').setEncoding('latin1'),
    )
    await Promise.all(slice.map((socket) => once(socket, 'connect')))
    sockets.push(...slice)
  }
  return {
    async ask(tokens) {
      const shares = sockets.map((_, index) =>
        tokens.filter((_token, at) => at % sockets.length === index),
      )
      const answers = sockets.map((socket, index) => exchange(socket, shares[index] as string[]))
      return tally((await Promise.all(answers)).flat())
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** A token with another `kid` in its header: anyone can make it without a key. */
export function createUnknownKidToken(
  token: string,
  kid = randomBytes(32).toString('base64'),
): string {
  return `${encode({ kid, alg: 'RS256' })}${token.slice(token.indexOf('.'))}`
}

function tally(answers: readonly string[]): Tally {
  const counted: Tally = new Map()
  for (const answer of answers) counted.set(answer, (counted.get(answer) ?? 0) + 1)
  return counted
}

function exchange(socket: Socket, tokens: readonly string[]): Promise<string[]> {
  const lines = tokens.map(
    (token) => `GET /r HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  )
  return new Promise((resolve, reject) => {
    const answers: string[] = []
    let text = ''
    const ended = (): void => reject(new Error(`closed after ${answers.length} answers`))
    const read = (chunk: string): void => {
      text += chunk
      for (let end = endOf(text); end !== -1; end = endOf(text)) {
        answers.push(answerOf(text.slice(0, end)))
        text = text.slice(end)
      }
      if (answers.length < tokens.length) return
      socket.off('data', read).off('close', ended)
      resolve(answers)
    }
    socket.on('data', read).on('close', ended)
    socket.write(lines.join(''))
    if (tokens.length === 0) read('')
  })
}

/** Where the first answer ends; -1 while it is not there in full. */
function endOf(text: string): number {
  const head = text.indexOf('\r\n\r\n')
  if (head === -1) return -1
  const length = Number(/^content-length: (\d+)/im.exec(text.slice(0, head))?.[1])
  const end = head + 4 + length
  return text.length < end ? -1 : end
}

function answerOf(raw: string): string {
  const status = raw.split(' ', 2)[1] as string
  const code = /"code":"(\w+)"/.exec(raw)?.[1]
  return code === undefined ? status : `${status} ${code}`
}
