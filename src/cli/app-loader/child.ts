/** Entry point of the child process: inspects a module, sends the result, and exits. */
import { writeSync } from 'node:fs'
import Module from 'node:module'
import { Server } from 'node:net'
import process from 'node:process'
import { ExpressWatch } from './express.ts'
import { watchFastify } from './fastify.ts'
import { formatError } from './format-error.ts'
import type { Job } from './inspection.ts'
import { inspectModule } from './load.ts'
import { listenOnEphemeralPort, stubJwksFetch } from './overrides.ts'

/** The pipe to the parent process. Standard output belongs to the module. */
const PIPE = 3

// Removes the job from the arguments, so that the module sees none.
const job = JSON.parse(process.argv.splice(2).join('')) as Job

function send(message: object): never {
  const text = Buffer.from(`${JSON.stringify(message)}\n`)
  let written = 0
  while (written < text.length) written += writeSync(PIPE, text, written)
  process.exit()
}

const fail = (error: unknown): never => send({ failure: formatError(error, job.name) })

let settle = (): void => {}
const settled = new Promise<void>((resolve) => {
  settle = resolve
})
process.once('uncaughtException', fail)
process.once('unhandledRejection', fail)
process.once('beforeExit', settle)
listenOnEphemeralPort(Server.prototype, settle)
globalThis.fetch = stubJwksFetch(globalThis.fetch)
// Positions in built files become positions in their source, if there is a source map.
process.setSourceMapsEnabled(true)
const express = new ExpressWatch()
const loader = Module as unknown as { _load: (...args: unknown[]) => unknown }
const { _load } = loader
loader._load = (...args) => {
  const exported = _load.apply(Module, args)
  express.watch(exported)
  return exported
}

inspectModule(job, {
  fastify: watchFastify(),
  express,
  load: (url) => import(url),
  settled,
}).then((inspection) => send({ inspection }), fail)
