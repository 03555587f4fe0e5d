/** Calls from the harness to the processes it forks, over IPC. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** @returns The child, and `call(method, argument)`, which rejects once the child has ended. */
export function forkCallable(script) {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)))
  const pending = new Map()
  let calls = 0
  child.on('message', ({ id, result }) => {
    pending.get(id)?.resolve(result)
    pending.delete(id)
  })
  child.once('exit', (code, signal) => {
    for (const { reject } of pending.values())
      reject(new Error(`${script} ended: ${signal ?? code}`))
  })
  const call = (method, argument) =>
    new Promise((resolve, reject) => {
      calls += 1
      pending.set(calls, { resolve, reject })
      child.send({ id: calls, method, argument }, (error) => error && reject(error))
    })
  return { child, call }
}

/** In the child: answers calls, and ends with the parent. */
export function answerCalls(methods) {
  process.on('message', async ({ id, method, argument }) => {
    process.send({ id, result: await methods[method](argument) })
  })
  process.on('disconnect', () => process.exit())
}
