/** Finds positions in the code of the app from stack traces. */
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Position } from '../../contract/infra/index.ts'
import { PACKAGE_ROOT } from '../../core/util/package-files.ts'

/** Maximum frames between the app's code and this package. Frameworks nest calls. */
const MAX_FRAMES = 50
/** `at name (file:1:2)`, `at file:1:2`, and a file as a URL or a path. */
const FRAME = /(?:^|[\s(])(file:\/\/\S+?|\/[^()]*?|[A-Za-z]:[\\/][^()]*?):(\d+)(?::(\d+))?\)?$/
/** Files of this folder. In built form, they are in chunks that other folders share. */
const LOADER_FILE = /^(?:dist|src[\\/]cli[\\/]app-loader)[\\/]/

/** Gets the position of the nearest caller in the app. Undefined if there is none. */
export function getCallerPosition(): Position | undefined {
  const { stackTraceLimit } = Error
  // An assignment would throw if the app made the limit read-only. Fewer frames may still reach its code.
  Reflect.set(Error, 'stackTraceLimit', MAX_FRAMES)
  const { stack } = new Error()
  Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  return findAppPosition(stack)
}

/** Finds the first position outside Node and packages, relative to the working directory. */
export function findAppPosition(stack: unknown): Position | undefined {
  for (const line of String(stack).split('\n')) {
    const [, location, row, column = '1'] = FRAME.exec(line) ?? []
    if (location === undefined) continue
    const file = toFilePath(location)
    if (file === undefined || /[\\/]node_modules[\\/]/.test(file)) continue
    if (LOADER_FILE.test(relative(PACKAGE_ROOT, file))) continue
    return { file: relative(process.cwd(), file), line: Number(row), column: Number(column) }
  }
  return undefined
}

function toFilePath(location: string): string | undefined {
  if (!location.startsWith('file:')) return location
  try {
    return fileURLToPath(location)
  } catch {
    return undefined
  }
}
