/** Where in the owner's code something happens, told by the stack. */
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Position } from '../../contract/infra/index.ts'

/** Frames that may lie between the owner's code and ours: frameworks nest. */
const FRAMES = 50
/** `at name (file:1:2)`, `at file:1:2`, and a file as a URL or a path. */
const FRAME = /(?:^|[\s(])(file:\/\/\S+?|\/[^()]*?|[A-Za-z]:[\\/][^()]*?):(\d+)(?::(\d+))?\)?$/
const PACKAGE = fileURLToPath(new URL('../../..', import.meta.url))
/** Source maps show what was built as it was written. */
const OWN = /^(?:src|dist)[\\/]cli[\\/]app-loader[\\/]/

/** The nearest caller that is the owner's; undefined where there is none. */
export function callerPosition(): Position | undefined {
  const { stackTraceLimit } = Error
  // An assignment would throw if the app made the limit read-only. Fewer frames may still reach its code.
  Reflect.set(Error, 'stackTraceLimit', FRAMES)
  const { stack } = new Error()
  Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  return ownersPosition(stack)
}

/** The first place in a stack that is no package's and none of Node's; relative to the working directory. */
export function ownersPosition(stack: unknown): Position | undefined {
  for (const line of String(stack).split('\n')) {
    const [, place, row, column = '1'] = FRAME.exec(line) ?? []
    if (place === undefined) continue
    const file = fileOf(place)
    if (file === undefined || /[\\/]node_modules[\\/]/.test(file)) continue
    if (OWN.test(relative(PACKAGE, file))) continue
    return { file: relative(process.cwd(), file), line: Number(row), column: Number(column) }
  }
  return undefined
}

function fileOf(place: string): string | undefined {
  if (!place.startsWith('file:')) return place
  try {
    return fileURLToPath(place)
  } catch {
    return undefined
  }
}
