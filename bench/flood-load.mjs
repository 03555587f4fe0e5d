/** The load of a flood, in a process of its own: valid traffic and forged tokens, each at a steady rate. */
import { randomBytes, randomUUID } from 'node:crypto'
import { openConnections } from './connection.mjs'
import { OpenLoop } from './open-loop.mjs'
import { secondsWaited } from './waited.mjs'

/** Connections of each kind of traffic. */
const CONNECTIONS = 50
/** Milliseconds until a request without a response counts as unanswered. */
const PATIENCE = 5000

function requestFor(path, token) {
  return Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  )
}

function encode(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decode(part) {
  return JSON.parse(Buffer.from(part, 'base64url').toString())
}

/** Every token of a flood is new: none can be answered from memory. */
const forgers = {
  /** Names a key the server has, so each costs it a whole verification. */
  'bad-signature': ([header, payload, signature]) => {
    const claims = decode(payload)
    return () => `${header}.${encode({ ...claims, jti: randomUUID() })}.${signature}`
  },
  /** Names a key nobody has, as the next rotation would. */
  'unknown-kid': ([header, payload, signature]) => {
    const parameters = decode(header)
    return () => {
      const kid = randomBytes(32).toString('base64')
      return `${encode({ ...parameters, kid })}.${payload}.${signature}`
    }
  },
}

async function run({ port, path, forged, tokens, validRate, floodRate, seconds }) {
  let turn = 0
  const nextForged = forgers[forged](tokens[0].split('.'))
  const takeValid = () => ({ bytes: requestFor('/orders', tokens[turn++ % tokens.length]) })
  const takeForged = () => ({ bytes: requestFor(path, nextForged()) })
  const connections = await openConnections(port, CONNECTIONS)
  const floodConnections = await openConnections(port, floodRate && CONNECTIONS)
  const valid = new OpenLoop(connections, validRate, takeValid)
  const flood = new OpenLoop(floodConnections, floodRate, takeForged)
  const waited = secondsWaited()
  const begun = performance.now()
  valid.start()
  flood.start()
  for (let elapsed = 0; elapsed < seconds * 1000; elapsed = performance.now() - begun) {
    valid.tick()
    flood.tick()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const end = performance.now() + PATIENCE
  while (valid.unanswered + flood.unanswered > 0 && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  const loadWaited = secondsWaited() - waited
  for (const connection of [...connections, ...floodConnections]) connection.close()
  const outcome = ({ statuses, unanswered }) => ({ ...statuses, ...(unanswered && { unanswered }) })
  return { loadWaited, latencies: valid.latencies, valid: outcome(valid), flood: outcome(flood) }
}

process.on('message', async (message) => process.send(await run(message)))
process.on('disconnect', () => process.exit())
