/** Reads and writes a file of private keys: mode 0600, replaced atomically. */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  linkSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { OptionError } from '../core/options/validate.ts'

/** Mode: only the owner reads and writes. */
const OWNER_ONLY = 0o600
const GROUP_AND_OTHERS = 0o077

/** Creates an error for the option `state`. Messages never quote the file. */
export function createStateError(path: string, problem: string): OptionError {
  return new OptionError('state', `${JSON.stringify(basename(path))}${problem}`)
}

/**
 * Reads the text of a state file.
 *
 * @returns Undefined if there is no file.
 * @throws {OptionError} if it cannot be read, or others can read it.
 */
export function readStateFile(path: string): string | undefined {
  let file: number
  try {
    // A named pipe without a writer would block the process.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw createStateError(path, `: expected a readable file, got ${code}. Set another path.`)
  }
  try {
    const stat = fstatSync(file)
    if (!stat.isFile()) {
      throw createStateError(path, ': expected a file, got another file type. Set another path.')
    }
    checkMode(path, stat.mode)
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

/** Windows has no such modes. There, the access list of the folder applies. */
function checkMode(path: string, mode: number): void {
  if (process.platform === 'win32' || (mode & GROUP_AND_OTHERS) === 0) return
  const octal = (mode & 0o777).toString(8).padStart(4, '0')
  throw createStateError(
    path,
    `: expected mode 0600, got ${octal}, with which others can use its private keys. Run chmod 600 ${basename(path)}.`,
  )
}

/** @throws {OptionError} if the file exists, or cannot be written. */
export function createStateFile(path: string, text: string): void {
  // Unlike a rename, a link fails if another pool has created the file.
  write(path, text, (temporary) => linkSync(temporary, path))
}

/** @throws {OptionError} if the file cannot be written. It is unchanged then. */
export function replaceStateFile(path: string, text: string): void {
  const target = existsSync(path) ? realpathSync(path) : path
  write(target, text, (temporary) => renameSync(temporary, target))
}

/** Atomic: if the process is killed, the file has its old or its new content. */
function write(path: string, text: string, moveIntoPlace: (temporary: string) => void): void {
  // A killed process may leave this file. The .gitignore pattern of state files must match it too.
  const name = `.${randomBytes(6).toString('hex')}.state.json`
  const temporary = join(dirname(path), name)
  try {
    const file = openSync(temporary, 'wx', OWNER_ONLY)
    try {
      fchmodSync(file, OWNER_ONLY)
      writeFileSync(file, text, { flush: true })
    } finally {
      closeSync(file)
    }
    moveIntoPlace(temporary)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw createStateError(
      path,
      `: expected a file that can be written, got ${code}. ${getFix(code)}`,
    )
  } finally {
    rmSync(temporary, { force: true })
  }
}

function getFix(code: string | undefined): string {
  if (code === 'EEXIST') return 'Set a separate file for each pool.'
  return 'Set a path in a writable folder.'
}
