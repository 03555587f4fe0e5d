/** Answers of a key set endpoint that the local pool has no name for. */
import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  type InputType,
} from 'node:zlib'
import type { JwksHandler } from '../../../src/testing/index.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
/** Sixteen times what is read of an answer; what larger ones cost is measured elsewhere. */
const BOMB_BYTES = 4 * 1024 * 1024

/** 200 with a body as it stands. */
export function body(content: string | Buffer, headers: object = {}): JwksHandler {
  return (_request, response) => response.writeHead(200, { ...JSON_TYPE, ...headers }).end(content)
}

export function json(value: unknown): JwksHandler {
  return body(JSON.stringify(value))
}

export function status(code: number, headers: Record<string, string> = {}): JwksHandler {
  return (_request, response) => response.writeHead(code, headers).end('the endpoint is failing')
}

const encoders: Readonly<Record<string, (raw: InputType) => Buffer>> = {
  gzip: gzipSync,
  deflate: deflateSync,
  'deflate without a header': deflateRawSync,
  br: brotliCompressSync,
}
export const ENCODERS = Object.keys(encoders)

const bombs = new Map<string, Buffer>()

/** 4 MB of blanks in few bytes; made once per process. */
export function bomb(encoder: string): JwksHandler {
  const made = bombs.get(encoder) ?? encoders[encoder]?.(Buffer.alloc(BOMB_BYTES, ' '))
  if (made === undefined) throw new Error(`no such encoder: ${encoder}`)
  bombs.set(encoder, made)
  return body(made, { 'content-encoding': encoder.split(' ')[0] })
}

/** Header lines until the client has enough of them. */
export const endlessHeaders: JwksHandler = (_request, { socket }) => {
  if (socket === null) return
  const line = `x-filler: ${'x'.repeat(1000)}\r\n`
  socket.on('error', () => {})
  const write = (): void => {
    while (!socket.destroyed && socket.write(line)) {
      // Until the socket's buffer is full; on from there when it was drained.
    }
  }
  socket.on('drain', write)
  socket.write('HTTP/1.1 200 OK\r\n')
  write()
}

/** A header line every 100 ms, so that an idle timeout never sees it. */
export const drippingHeaders: JwksHandler = (_request, { socket }) => {
  if (socket === null) return
  socket.on('error', () => {})
  socket.write('HTTP/1.1 200 OK\r\n')
  const dripping = setInterval(() => socket.write('x: y\r\n'), 100)
  socket.once('close', () => clearInterval(dripping))
}

/** Every part in time, the whole never: informational answers before the real one. */
export const earlyHintsForEver: JwksHandler = (_request, { socket }) => {
  if (socket === null) return
  socket.on('error', () => {})
  const hint = (): boolean => socket.write('HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n')
  hint()
  const hinting = setInterval(hint, 50)
  socket.once('close', () => clearInterval(hinting))
}
