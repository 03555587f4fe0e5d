/** Sends one request over a new socket, with headers and bytes as given. */
import http, { type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'

export interface Ask {
  readonly method?: string
  readonly path?: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Buffer
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The parsed body; throws if it is not JSON. */
  readonly json: Record<string, unknown>
}

export const FORM = 'application/x-www-form-urlencoded'

/** Rejects with the socket's error where there is no answer. */
export async function ask(port: number, { method = 'GET', path = '/', headers, body }: Ask = {}) {
  return new Promise<Answer>((resolve, reject) => {
    const request = http.request(
      { host: '127.0.0.1', port, method, path, agent: false, headers: headers ?? {} },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            get json() {
              return JSON.parse(text) as Record<string, unknown>
            },
          })
        })
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

/** The code of the error a request ends in, `'answered'` where there is none. */
export async function failure(asked: Promise<Answer>): Promise<string | undefined> {
  return asked.then(
    () => 'answered',
    (error: NodeJS.ErrnoException) => error.code,
  )
}

/** The first answer once connections are taken again; gives up with the error of the last try. */
export async function eventually(asked: () => Promise<Answer>, tries = 500): Promise<Answer> {
  try {
    return await asked()
  } catch (error) {
    if (tries === 0) throw error
    return eventually(asked, tries - 1)
  }
}

/** A part of a token, decoded. */
export function decode(token: string, part: 0 | 1): Record<string, unknown> {
  const text = Buffer.from(token.split('.')[part] as string, 'base64url').toString()
  return JSON.parse(text) as Record<string, unknown>
}
