/** Processes of a benchmark: each on a core of its own, asked over IPC. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The cores this process may run on where it may use two, else none. */
export function allowedCores() {
  try {
    const [, list] = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))
    const cores = list.split(',').flatMap((range) => {
      const [from, to = from] = range.split('-').map(Number)
      return Array.from({ length: to - from + 1 }, (_, index) => from + index)
    })
    return cores.length >= 2 ? cores : []
  } catch {
    return []
  }
}

/** Starts a file of this folder, on a core where there is one and a way to say so. */
export function start(file, core) {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const command = [process.execPath, path]
  if (core !== undefined) command.unshift('taskset', '-c', String(core))
  const [program, ...args] = command
  return spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
}

export async function ask(child, message) {
  child.send(message)
  const [answer] = await once(child, 'message')
  return answer
}
