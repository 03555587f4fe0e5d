/** Where in the owner's code something happens, told by the stack. */
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Position } from '../../contract/infra/index.ts'

/** Maximum frames between the app's code and this package. Frameworks nest calls. */
const MAX_FRAMES = 50
/** `at name (file:1:2)`, `at file:1:2`, and a file as a URL or a path. */
const FRAME = /(?:^|[\s(])(file:\/\/\S+?|\/[^()]*?|[A-Za-z]:[\\/][^()]*?):(\d+)(?::(\d+))?\)?$/
const PACKAGE_ROOT = fileURLToPath(new URL('../../..', import.meta.url))
/** Source maps show what was built as it was written. */
const LOADER_FILE = /^(?:src|dist)[\\/]cli[\\/]app-loader[\\/]/

/** The nearest caller that is the owner's; undefined where there is none. */
export function getCallerPosition(): Position | undefined {
  const { stackTraceLimit } = Error
  // An assignment would throw if the app made the limit read-only. Fewer frames may still reach its code.
  Reflect.set(Error, 'stackTraceLimit', MAX_FRAMES)
  const { stack } = new Error()
  Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  return findAppPosition(stack)
}

/** The first place in a stack that is no package's and none of Node's; relative to the working directory. */
export function findAppPosition(stack: unknown): Position | undefined {
  for (const line of String(stack).split('\n')) {
    const [, place, row, column = '1'] = FRAME.exec(line) ?? []
    if (place === undefined) continue
    const file = toFilePath(place)
    if (file === undefined || /[\\/]node_modules[\\/]/.test(file)) continue
    if (LOADER_FILE.test(relative(PACKAGE_ROOT, file))) continue
    return { file: relative(process.cwd(), file), line: Number(row), column: Number(column) }
  }
  return undefined
}

function toFilePath(place: string): string | undefined {
  if (!place.startsWith('file:')) return place
  try {
    return fileURLToPath(place)
  } catch {
    return undefined
  }
}
