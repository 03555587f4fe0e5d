/** Tokens explained from the command line, at the time and with the keys of forge.ts. */
import { ISSUER, jwk, NOW, UPDATED_ISSUER } from './forge.ts'
import { run } from './run-cli.ts'

export const KEYS_URL = `${ISSUER}/.well-known/jwks.json`
export const UPDATED_URL = `${UPDATED_ISSUER}/.well-known/jwks.json`
export const keySet = { keys: [jwk()] }

/** A transport that responds by address and records its requests. */
export function network(answers: Readonly<Record<string, () => Response>>) {
  const asked: string[] = []
  const fetch: typeof globalThis.fetch = async (input) => {
    asked.push(String(input))
    const answer = answers[String(input)]
    if (answer === undefined) throw new TypeError('failed', { cause: { code: 'ENOTFOUND' } })
    return answer()
  }
  return { fetch, asked }
}

export const healthy = () => network({ [KEYS_URL]: () => Response.json(keySet) })

/** Explains a token that is piped in, at {@link READ_TIME}. */
export async function explained(token: string, args: readonly string[] = [], parts = {}) {
  const { fetch, asked } = healthy()
  const world = { fetch, now: () => NOW * 1000, input: async () => token, ...parts }
  const ran = await run(['explain', ...args], world)
  return { ...ran, asked }
}

export interface Document {
  readonly verdict: string
  readonly answer: { code: string; statusCode: number } | null
  readonly checks: readonly {
    check: string
    state: string
    code?: string
    message: string
    fix?: string
  }[]
  readonly header: Record<string, unknown> | null
  readonly claims: Record<string, unknown> | null
  readonly keys: string | null
  readonly notes: readonly string[]
  readonly judgedAt: number
}

export async function document(token: string, args: readonly string[] = [], parts = {}) {
  const { out, err, code, asked } = await explained(token, [...args, '--json'], parts)
  if (err !== '' || !/^\{[^\n]+\}\n$/.test(out))
    throw new Error(`not one line of JSON: ${err}${out}`)
  return { code, asked, ...(JSON.parse(out) as Document) }
}
