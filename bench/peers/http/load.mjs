/**
 * The load, in a process of its own: a closed loop over keep-alive connections, one request at a time on each, or an open
 * loop at a steady rate.
 */
import { openConnections } from '../../connection.mjs'
import { OpenLoop } from '../../open-loop.mjs'
import { answering } from '../machine.mjs'
import { forgetServers, sequenceOf } from './loads.mjs'

/** What is open now: one server is under load at a time. */
let connections = []

async function run({ rate, ...message }) {
  const take = sequenceOf(message)
  if (rate !== undefined) return runPaced(take, rate, message.requests)
  const begun = performance.now()
  const wrong = await Promise.all(connections.map((connection) => connection.drain(take)))
  const elapsed = performance.now() - begun
  return { wrong: wrong.reduce((sum, count) => sum + count, 0), elapsed }
}

async function runPaced(take, rate, requests) {
  const loop = new OpenLoop(connections, rate, take)
  loop.start()
  while (loop.latencies.length + loop.failed < requests) {
    loop.tick()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const latencies = loop.latencies.sort((one, other) => one - other)
  return { wrong: loop.wrong, p99: latencies[Math.floor(latencies.length * 0.99)] }
}

function close() {
  for (const connection of connections) connection.close()
  connections = []
}

answering(async (message) => {
  if (message.connections !== undefined) {
    connections = await openConnections(message.port, message.connections)
  }
  if (message.requests !== undefined) return run(message)
  if (message.forget === true) forgetServers()
  close()
  return {}
})
