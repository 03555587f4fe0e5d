/** Where a run took place, and processes that keep to a core of their own. */
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import { fileURLToPath } from 'node:url'

/** The cores this process may run on, or none where that is not told. */
function allowedCores() {
  try {
    const [, list] = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))
    return list.split(',').flatMap((range) => {
      const [from, to = from] = range.split('-').map(Number)
      return Array.from({ length: to - from + 1 }, (_, index) => from + index)
    })
  } catch {
    return []
  }
}

/**
 * Cores for what is measured, and one for the load; undefined where nothing can be pinned.
 *
 * @param count 1: servers share no core with the load. Otherwise they may use as many, the load's too.
 */
export function pinnedCores(count = 1) {
  const cores = allowedCores()
  if (cores.length < 2 || spawnSync('taskset', ['--version']).status !== 0) return undefined
  const servers = cores.slice(0, count).join(',')
  return { measured: cores.at(0), servers, load: cores.at(-1) }
}

export function describeMachine(pinned, count) {
  const cores = cpus()
  const gigabytes = Math.round(totalmem() / 2 ** 30)
  return [
    `${cores[0]?.model.trim()}, ${cores.length} cores, ${gigabytes} GiB`,
    `${type()} ${release()}, Node ${process.version}, OpenSSL ${process.versions.openssl}`,
    pinned ? `servers on ${count} of the cores, the load on the last (taskset)` : 'nothing pinned',
  ]
}

/**
 * @param file Relative to this folder.
 * @param core The core or cores it keeps to; left out, any.
 */
export function start(file, { core, args = [], env = {} } = {}) {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const command = [process.execPath, ...args, path]
  if (core !== undefined) command.unshift('taskset', '-c', String(core))
  const [program, ...rest] = command
  return spawn(program, rest, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, ...env },
  })
}

/** Sends a message and waits for the answer; a process that ends instead ends the run. */
export function ask(child, message) {
  return new Promise((resolve, reject) => {
    const ended = (code) => reject(new Error(`${child.spawnargs.at(-1)} ended with ${code}`))
    child.once('exit', ended)
    child.once('message', (answer) => {
      child.off('exit', ended)
      if (answer.failed === undefined) resolve(answer)
      else reject(new Error(`${message.open ?? ''} ${answer.failed}`))
    })
    child.send(message)
  })
}

/** For the asked process: answers each message, tells what went wrong, ends with its parent. */
export function answering(handle) {
  process.on('message', async (message) => {
    try {
      process.send(await handle(message))
    } catch (error) {
      process.send({ failed: error.stack })
    }
  })
  process.on('disconnect', () => process.exit())
}
