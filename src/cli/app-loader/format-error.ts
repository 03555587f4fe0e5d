/** Formats what a module threw as one line. */
import { findAppPosition } from './stack.ts'

/** An app that cannot be inspected. The message is one line, and may have text of the module. */
export class InspectionFailure extends Error {}

/** Longest shown message of a module. */
const MAX_MESSAGE_LENGTH = 300
/** Error codes of Node for TypeScript that it cannot load. */
const TYPESCRIPT_ERROR_CODES = new Set([
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX',
  'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING',
  'ERR_MODULE_NOT_FOUND',
])

/** @param name The module, as in the command line. */
export function formatError(error: unknown, name: string): string {
  if (error instanceof InspectionFailure) return `${name}: ${error.message}`
  const { code, message, stack } = describeThrown(error)
  const at = findAppPosition(stack)
  const position = at === undefined ? '' : ` (${at.file}:${at.line}:${at.column})`
  const what =
    message.length > MAX_MESSAGE_LENGTH ? `${message.slice(0, MAX_MESSAGE_LENGTH)}…` : message
  const hint =
    /\.[cm]?tsx?$/.test(name) && TYPESCRIPT_ERROR_CODES.has(String(code))
      ? ". Set NODE_OPTIONS='--import tsx' for TypeScript, or pass the built file."
      : ''
  return `${name} failed to start: ${what.replaceAll(/\s+/g, ' ')}${position}${hint}`
}

/** Reads any thrown value. Its members may throw too. */
function describeThrown(error: unknown): { code: unknown; message: string; stack: unknown } {
  try {
    if (!(error instanceof Error)) return { code: undefined, message: String(error), stack: '' }
    const { code } = error as NodeJS.ErrnoException
    return { code, message: `${error.name}: ${error.message}`, stack: error.stack }
  } catch {
    return { code: undefined, message: 'a value that cannot be converted to text', stack: '' }
  }
}
