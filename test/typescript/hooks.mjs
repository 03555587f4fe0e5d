/**
 * Loads TypeScript as Node does from version 22.18 on: types become blanks. Lines and columns stay the same, so
 * neither stacks nor coverage need a source map. Results are cached on disk by content: loading the compiler takes
 * half a second, and every process would pay it.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const BLANKED = resolve(import.meta.dirname, '../../.tap/blanked')

/** JavaScript as long as the TypeScript it is made of. */
export async function blank(source) {
  const file = join(BLANKED, `${createHash('sha256').update(source).digest('hex')}.js`)
  try {
    return readFileSync(file, 'utf8')
  } catch {
    const { default: tsBlankSpace } = await import('ts-blank-space')
    const code = tsBlankSpace(source)
    mkdirSync(BLANKED, { recursive: true })
    // Whole or not at all: another process may want the same one.
    writeFileSync(`${file}.${process.pid}`, code)
    renameSync(`${file}.${process.pid}`, file)
    return code
  }
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context)
  const { source } = await next(url, { ...context, format: 'module' })
  return { format: 'module', source: await blank(String(source)), shortCircuit: true }
}
