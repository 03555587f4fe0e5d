/** A redis-server that can be stopped, continued, killed and started again on its port. Nothing is on disk. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { clock, STALL_MS } from './scale.mjs'

/** Whatever becomes of this process, the pipe ends, and Redis with it, stopped or not. */
const WRAPPER = '"$@" & echo "pid $!"; cat; kill -9 $!; wait'
const PING_EVERY_MS = 25
const READY = 'Ready to accept connections'

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** @returns The pid of Redis, once it accepts connections. */
function readiness(child) {
  let output = ''
  return new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      output += chunk
      if (output.includes(READY)) resolve(Number(/^pid (\d+)/.exec(output)[1]))
      if (output.includes('Failed listening')) child.stdin.end()
    })
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`redis-server did not start: ${output}`)))
  })
}

/** See the first line. */
export class Redis {
  port
  #child
  #pid

  /** When Redis, which waits for a core as all do, was slow to answer. */
  stalls = []

  async start() {
    this.port ??= await freePort()
    const options = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    const args = ['sh', 'redis-server', '--port', String(this.port), ...options]
    this.#child = spawn('sh', ['-c', WRAPPER, ...args])
    this.#pid = await readiness(this.#child)
    this.#watch()
  }

  #watch() {
    const socket = connect(this.port, '127.0.0.1')
    let sentAt
    const ping = () => {
      if (sentAt !== undefined) return
      sentAt = clock()
      socket.write('PING\r\n')
    }
    const timer = setInterval(ping, PING_EVERY_MS)
    socket.on('data', () => {
      const until = clock()
      if (until - sentAt > STALL_MS) this.stalls.push({ from: sentAt, until })
      sentAt = undefined
    })
    socket.on('error', () => {})
    socket.once('close', () => clearInterval(timer))
  }

  /** Hangs: connections stay, nothing is answered. */
  stall() {
    process.kill(this.#pid, 'SIGSTOP')
  }

  resume() {
    process.kill(this.#pid, 'SIGCONT')
  }

  /** Resolves once the process is gone. */
  async kill() {
    if (this.#child === undefined || this.#child.exitCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.stdin.end()
    await gone
  }
}
