/** The measurements of one process. Each answers with numbers by name. */
import { asLine, gc, measureHits, median, onceBatch, rsaBatch } from '../../micro.mjs'
import { inFlight } from './in-flight.mjs'
import { memory } from './memory.mjs'
import { subjects } from './subjects.mjs'

/** New tokens per batch: a token is cold once. */
const CALLS = 80
/** Batches that compile the code; uncounted. */
const WARM_UP = 25
const ROUNDS = 30

/** How many new tokens one process takes. */
export const FRESH = (WARM_UP + ROUNDS) * CALLS

/** Hits of one token and of all 5,000. */
async function hits(check, { warm, many, pool }) {
  const rsa = rsaBatch(warm.slice(0, 64), pool.jwks)
  const unit = () => rsa(CALLS)
  const results = {}
  for (const [name, tokens] of Object.entries({ one: warm.slice(0, 1), many })) {
    const { nanos, ratios } = await measureHits(check, tokens.map(asLine), { rounds: ROUNDS, unit })
    results[name] = median(nanos)
    results[`${name} in RSA checks`] = median(ratios)
  }
  return results
}

/** Characters without meaning, the dots of a JWS among them. */
function garbage(token) {
  return token.replace(/[^.]/g, () => 'ABCabc012-_'[Math.floor(Math.random() * 11)])
}

/** Another `jti` for each, so that no two of them are the same: the signature no longer fits. */
function varied(tokens) {
  return (index) => {
    const [header, payload, signature] = tokens[index % tokens.length].split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url'))
    const changed = JSON.stringify({
      ...claims,
      jti: `${claims.jti.slice(0, -6)}${100_000 + index}`,
    })
    return `${header}.${Buffer.from(changed).toString('base64url')}.${signature}`
  }
}

/**
 * New tokens and refusals, each right between two batches of RSA checks: a shared machine changes
 * its speed within a second.
 */
async function cold(check, { fresh, expired, foreign, warm, pool }) {
  const rsa = rsaBatch(warm.slice(0, 64), pool.jwks)
  const kinds = {
    'new token': (index) => fresh[index],
    garbage: () => garbage(warm[0]),
    expired: varied(expired),
    'foreign issuer': varied(foreign),
  }
  const ratios = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, []]))
  const micros = { ...structuredClone(ratios), 'RSA check': [] }
  for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
    for (const [kind, token] of Object.entries(kinds)) {
      const lines = Array.from({ length: CALLS }, (_, index) => token(round * CALLS + index))
      const before = rsa(CALLS)
      const spent = await onceBatch(check, lines.map(asLine), { refused: kind !== 'new token' })
      const around = (before + rsa(CALLS)) / 2
      if (round < WARM_UP) continue
      micros['RSA check'].push(around)
      micros[kind].push(spent)
      ratios[kind].push(spent / around)
    }
    if (round % 10 === 0) gc()
  }
  const medians = (lists, suffix) =>
    Object.entries(lists).map(([name, values]) => [`${name}${suffix}`, median(values)])
  return Object.fromEntries([...medians(micros, ''), ...medians(ratios, ' in RSA checks')])
}

const cases = { hits, cold, inFlight, memory }

/** @param subject Name of what is measured. */
export async function measureCase(name, subject, credentials) {
  return cases[name](await subjects[subject](credentials.pool), credentials)
}
