/** A file of private keys: only its owner can read it, and it is written as a whole or not at all. */
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

/** Only the owner reads and writes. */
const OWNER_ONLY = 0o600
const GROUP_AND_OTHERS = 0o077

/** Refuses the state file. Nothing that it contains is quoted. */
export function createStateError(path: string, problem: string): OptionError {
  return new OptionError('state', `${JSON.stringify(basename(path))}${problem}`)
}

/**
 * The text of a state file; undefined where there is none.
 *
 * @throws {OptionError} where it cannot be read, or others can read it.
 */
export function readStateFile(path: string): string | undefined {
  let file: number
  try {
    // A named pipe without a writer would block the process.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw createStateError(path, `: expected a readable file, got ${code}. Name another one`)
  }
  try {
    const stat = fstatSync(file)
    if (!stat.isFile()) {
      throw createStateError(path, ': expected a file, got something else. Name another one')
    }
    checkMode(path, stat.mode)
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

/** Windows has no such modes: there the folder's access list decides who reads the file. */
function checkMode(path: string, mode: number): void {
  if (process.platform === 'win32' || (mode & GROUP_AND_OTHERS) === 0) return
  const octal = (mode & 0o777).toString(8).padStart(4, '0')
  throw createStateError(
    path,
    `: expected mode 0600, got ${octal}, with which others can use its private keys. Run chmod 600 ${basename(path)}`,
  )
}

/** @throws {OptionError} where it exists by now, or cannot be written. */
export function createStateFile(path: string, text: string): void {
  // Unlike a rename, a link fails where another pool made the file meanwhile.
  write(path, text, (temporary) => linkSync(temporary, path))
}

/** @throws {OptionError} where it cannot be written; it is what it was then. */
export function replaceStateFile(path: string, text: string): void {
  const target = existsSync(path) ? realpathSync(path) : path
  write(target, text, (temporary) => renameSync(temporary, target))
}

/** A process that is killed meanwhile leaves the state as it was, or as it is to be. */
function write(path: string, text: string, place: (temporary: string) => void): void {
  // A killed process may leave it: the pattern that keeps state files out of git has to match it too.
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
    place(temporary)
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
  if (code === 'EEXIST') return 'Another pool made it meanwhile: give each pool a file of its own'
  return 'Name one in a folder that exists and can be written to'
}
