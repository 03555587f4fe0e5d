/** Replaces files of the repository safely: inside the working directory, without symbolic links, atomically. */
import { randomBytes } from 'node:crypto'
import { lstatSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { OptionError } from '../../core/options/validate.ts'
import { CommandFailure, EXIT } from '../exit-codes.ts'
import { quoteFile } from './flags.ts'

export interface Replacement {
  readonly file: string
  /** The content that was read. The file must still have it. */
  readonly before: string
  readonly after: string
}

export interface ReplaceOptions {
  /** Name of the option in messages. */
  readonly option: string
  /** Aborts before the first file is replaced. */
  readonly signal: AbortSignal
}

/**
 * Writes a temporary file next to each file, and renames all of them at the end. A file that changed since it was read
 * is not replaced, nor is any other one then. The permissions stay.
 *
 * @throws {OptionError} if a file is outside of the working directory, is reached through a symbolic link, changed, or
 *   cannot be written.
 * @throws {CommandFailure} if the signal aborts.
 */
export function replaceFiles(
  replacements: readonly Replacement[],
  { option, signal }: ReplaceOptions,
): void {
  const pending: { readonly path: string; readonly temporary: string }[] = []
  let current = ''
  try {
    for (const { file, before, after } of replacements) {
      current = file
      const path = locateFile(file, option)
      const suffix = randomBytes(6).toString('hex')
      const temporary = join(dirname(path), `.${basename(path)}.${suffix}.new`)
      pending.push({ path, temporary })
      const { mode } = lstatSync(path)
      writeFileSync(temporary, after, { flag: 'wx', flush: true, mode })
      assertUnchanged(path, before, file, option)
    }
    if (signal.aborted) throw new CommandFailure(EXIT.interrupted, 'interrupted')
    for (const { path, temporary } of pending) renameSync(temporary, path)
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error
    const { code } = error as NodeJS.ErrnoException
    const problem = `expected a writable file, got ${quoteFile(current)} (${code})`
    throw new OptionError(option, `${problem}. Correct its permissions.`)
  } finally {
    for (const { temporary } of pending) rmSync(temporary, { force: true })
  }
}

/** A link could lead out of the directory, or to a file that other projects share. */
function locateFile(file: string, option: string): string {
  const path = join(realpathSync(dirname(resolve(file))), basename(file))
  const root = realpathSync('.')
  const inside = relative(root, path)
  if (inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
    const problem = `expected a file inside the working directory, got ${quoteFile(file)}`
    throw new OptionError(option, `${problem}. Run the command in its repository.`)
  }
  if (path !== resolve(root, relative('.', resolve(file))) || !lstatSync(path).isFile()) {
    const problem = `expected a regular file, got ${quoteFile(file)}, which is or passes a symbolic link`
    throw new OptionError(option, `${problem}. Pass the path of the file itself.`)
  }
  return path
}

/** Compares bytes: text that is not UTF-8 would be written differently. */
function assertUnchanged(path: string, before: string, file: string, option: string): void {
  if (readFileSync(path).equals(Buffer.from(before))) return
  const problem = `expected the file that was read, got ${quoteFile(file)}, which changed or is not UTF-8`
  throw new OptionError(option, `${problem}. Run the command again.`)
}
