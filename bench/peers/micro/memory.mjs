/** What a token costs that stays in the cache: its string, what was made of it, and the index. */
import { asLine, bytesInUse } from '../../micro.mjs'

const TOKENS = 4000
/** Less than this per token, and nothing was kept: a token alone has more characters. */
const KEPT = 256

/** Every token is let in with a string that nobody else holds on to. */
async function letIn(check, lines, use) {
  for (const line of lines) use(await check(line.toString('latin1')))
}

/**
 * Tokens are let in, then let in once more and read: what the cache makes only when it is asked
 * for, is in the second number. Peers have nothing to read that way.
 */
export async function memory(check, { many, warm }) {
  const lines = many.slice(0, TOKENS).map(asLine)
  // The code is compiled and every lazy part made, outside of what is counted.
  for (let turn = 0; turn < 20; turn += 1) await letIn(check, warm.map(asLine), read)
  const before = await bytesInUse()
  await letIn(check, lines, () => undefined)
  const unread = (await bytesInUse()) - before
  await letIn(check, lines, read)
  const all = (await bytesInUse()) - before
  const perToken = (bytes) => (bytes / TOKENS < KEPT ? 0 : bytes / TOKENS)
  return { 'bytes per token': perToken(unread), 'bytes per token, read': perToken(all) }
}

let characters = 0

function read(token) {
  if (token?.scopes === undefined) return
  characters += token.scopes.size + token.claims.client_id.length
  if (!Number.isFinite(characters)) throw new Error('nothing was read')
}
