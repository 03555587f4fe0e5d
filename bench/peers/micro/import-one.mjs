/**
 * Imports ours or what it is held against, in a fresh process: how long that takes, or what is
 * loaded by it.
 */
import { createRequire, register } from 'node:module'
import { pathToFileURL } from 'node:url'
import { MessageChannel } from 'node:worker_threads'
import { answering } from '../machine.mjs'

const IMPORTS = {
  ours: () => [import('../../../dist/adapters/fastify/index.js')],
  theirs: () => [import('aws-jwt-verify'), import('fastify-plugin')],
}

function cpuMilliseconds() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

async function timed(name) {
  const cpu = cpuMilliseconds()
  const begun = performance.now()
  await Promise.all(IMPORTS[name]())
  return { milliseconds: performance.now() - begun, cpu: cpuMilliseconds() - cpu }
}

/** Both systems of modules: loader hooks see what is imported, the cache has what is required. */
async function listed(name) {
  const modules = new Set()
  const { port1, port2 } = new MessageChannel()
  port1.on('message', (url) => modules.add(url))
  register('./loaded-hooks.mjs', {
    parentURL: import.meta.url,
    data: { port: port2 },
    transferList: [port2],
  })
  await Promise.all(IMPORTS[name]())
  // The hooks run on a thread of their own: what they told is still on its way.
  await new Promise((resolve) => setTimeout(resolve, 100))
  port1.close()
  const required = Object.keys(createRequire(import.meta.url).cache)
  for (const path of required) modules.add(pathToFileURL(path).href)
  return { modules: [...modules] }
}

answering(({ open, list }) => (list ? listed(open) : timed(open)))
