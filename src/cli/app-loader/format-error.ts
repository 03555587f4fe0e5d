/** Formats what a module threw as one line. */
import { findAppPosition } from './stack.ts'

/** Why a module cannot be read: one line, which may repeat text of the module's. */
export class InspectionFailure extends Error {}

/** Longest message of a module's that is repeated. */
const MAX_MESSAGE_LENGTH = 300
/** How Node says that it does not run TypeScript, or not this way. */
const TYPESCRIPT_ERROR_CODES = new Set([
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX',
  'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING',
  'ERR_MODULE_NOT_FOUND',
])

/** @param name The module as it was named. */
export function formatError(error: unknown, name: string): string {
  if (error instanceof InspectionFailure) return `${name}: ${error.message}`
  const { code, message, stack } = describeThrown(error)
  const place = findAppPosition(stack)
  const where = place === undefined ? '' : ` (${place.file}:${place.line}:${place.column})`
  const what =
    message.length > MAX_MESSAGE_LENGTH ? `${message.slice(0, MAX_MESSAGE_LENGTH)}…` : message
  const hint =
    /\.[cm]?tsx?$/.test(name) && TYPESCRIPT_ERROR_CODES.has(String(code))
      ? "; it is TypeScript: set NODE_OPTIONS='--import tsx', or pass the built file"
      : ''
  return `${name} does not start: ${what.replaceAll(/\s+/g, ' ')}${where}${hint}`
}

/** Whatever was thrown, and however its members behave. */
function describeThrown(error: unknown): { code: unknown; message: string; stack: unknown } {
  try {
    if (!(error instanceof Error)) return { code: undefined, message: String(error), stack: '' }
    const { code } = error as NodeJS.ErrnoException
    return { code, message: `${error.name}: ${error.message}`, stack: error.stack }
  } catch {
    return { code: undefined, message: 'it threw what cannot be shown', stack: '' }
  }
}
