/** Ways in which the local pool's key set endpoint can fail, to rehearse an outage. */
import type { ServerResponse } from 'node:http'

/**
 * `refuse`: the pool stops listening, so connections are refused (for everything it serves);
 * `hang`: the key set is never answered; `500`: an error; `garbage`: 200 with what is not JSON.
 */
export type JwksFault = 'refuse' | 'hang' | '500' | 'garbage'

/** What each fault answers where a key set was asked for; a hang answers nothing. */
const answers: Readonly<Record<JwksFault, (response: ServerResponse) => void>> = {
  // Asked only on a connection from before the pool stopped listening.
  refuse: (response) => response.destroy(),
  hang: () => {},
  '500': (response) => response.writeHead(500).end('Internal Server Error'),
  garbage: (response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end('<html>garbage</html>'),
}

/** Every fault there is. */
export const JWKS_FAULTS = Object.keys(answers) as readonly JwksFault[]

export function isJwksFault(value: unknown): value is JwksFault {
  return JWKS_FAULTS.includes(value as JwksFault)
}

export function answerWithFault(fault: JwksFault, response: ServerResponse): void {
  answers[fault](response)
}
