/** Which credentials a load sends, in which order, and what has to be answered. */
import { randomBytes } from 'node:crypto'
import { readCredentials } from '../credentials.mjs'

/**
 * In the order they run: what a server kept of one load, it has at the next. The mixed one is last,
 * when the code of refusals is compiled: it has too few of them to do that.
 */
export const LOADS = {
  warm: '200 clients, Zipf',
  many: '5,000 tokens',
  new: 'every token new',
  garbage: 'garbage only',
  mixed: '1 % new, 1 % garbage',
}

/** The same numbers for the same seed, so that every server gets the same requests. */
function randomFrom(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Few callers make most requests: the one at rank n is n times rarer than the first. */
function zipf(count) {
  let sum = 0
  const shares = Array.from({ length: count }, (_, index) => {
    sum += 1 / (index + 1)
    return sum
  })
  return (random) => {
    const at = random * sum
    const index = shares.findIndex((share) => at < share)
    return index === -1 ? count - 1 : index
  }
}

function bytesOf(path, token) {
  return Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    'latin1',
  )
}

/** Three parts of base64url without meaning, as long as those of a token. */
function noise(token) {
  return token
    .split('.')
    .map((part) => randomBytes(part.length).toString('base64url').slice(0, part.length))
    .join('.')
}

/** Made once: while a server is measured, the load generator only sends. */
function prepare(path) {
  const { warm, many, fresh } = readCredentials(path)
  const good = (token) => ({ bytes: bytesOf('/orders', token), expected: 200 })
  const junk = Array.from({ length: 512 }, () => noise(warm[0]))
  return {
    warm: warm.map(good),
    many: many.map(good),
    fresh: fresh.map(good),
    garbage: junk.map((token) => ({ bytes: bytesOf('/orders', token), expected: 401 })),
    // The bare framework looks at no token: it refuses by itself, on a route of its own.
    refused: junk.map((token) => ({ bytes: bytesOf('/refused', token), expected: 401 })),
    rank: zipf(warm.length),
    used: new Map(),
  }
}

let prepared

/** Servers of another round are other servers, on ports that may come again. */
export function forgetServers() {
  prepared?.used.clear()
}

/** A token no other request to this server had. */
function unused({ fresh, used }, port) {
  const index = used.get(port) ?? 0
  used.set(port, index + 1)
  if (index >= fresh.length) throw new Error('too few new tokens were signed')
  return fresh[index]
}

/**
 * @param port Of the server: which tokens are new is counted per server.
 * @returns A function that gives the next request, undefined at the end.
 */
export function sequenceOf({ port, load, requests, seed, credentials, isBare }) {
  prepared ??= prepare(credentials)
  const { warm, many, rank } = prepared
  const garbage = isBare ? prepared.refused : prepared.garbage
  const random = randomFrom(seed)
  const any = (list) => list[Math.floor(random() * list.length)]
  const pick = {
    warm: () => warm[rank(random())],
    many: () => any(many),
    new: () => unused(prepared, port),
    garbage: () => any(garbage),
    mixed: () => {
      const share = random()
      if (share < 0.01) return unused(prepared, port)
      return share < 0.02 ? any(garbage) : warm[rank(random())]
    },
    // Each token of a load once, so that what can be kept is kept.
    'each of warm': (index) => warm[index % warm.length],
    'each of many': (index) => many[index % many.length],
  }[load]
  const chosen = Array.from({ length: requests }, (_, index) => pick(index))
  let at = 0
  return () => chosen[at++]
}
