/** Files that are written as a whole or not at all. */
import { randomBytes } from 'node:crypto'
import {
  linkSync,
  lstatSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { TemplateSource } from '../../contract/infra/index.ts'
import { OptionError } from '../../core/options/validate.ts'
import { CommandFailure, EXIT } from '../exit-codes.ts'
import { quoteFile, statIfExists } from './flags.ts'

export interface WriteOptions {
  /** Takes the place of what exists. */
  readonly force: boolean
  /** Heeded until the first file is in its place. */
  readonly signal: AbortSignal
}

interface PendingFile {
  /** What it is to become; what a link leads to, not the link. */
  readonly target: string
  /** The whole text, beside it. */
  readonly temporary: string
  /** A second name of what was there, where something was. */
  readonly backup: string | undefined
}

/**
 * Writes all of the files or none. Each is complete under another name beside its place before the first is
 * renamed; where one cannot be, those before it are taken back. A process that is killed in between leaves
 * whole files, old or new.
 *
 * @throws {OptionError} where one exists and `force` is not said, or it cannot be written.
 * @throws {CommandFailure} where it was interrupted.
 */
export function writeFiles(files: readonly TemplateSource[], options: WriteOptions): void {
  const { force, signal } = options
  const pending: PendingFile[] = []
  let current = ''
  try {
    for (const { file, text } of files) {
      current = file
      const exists = lstatSync(file, { throwIfNoEntry: false }) !== undefined
      if (exists && !force) {
        throw new OptionError('--out', `would replace ${quoteFile(file)}: --force allows it`)
      }
      const one = preparePendingFile(exists ? realpathSync(file) : file, exists)
      pending.push(one)
      writeFileSync(one.temporary, text, { flag: 'wx', flush: true })
    }
    if (signal.aborted) throw new CommandFailure(EXIT.interrupted, 'interrupted')
    replaceFiles(pending)
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error
    const { code } = error as NodeJS.ErrnoException
    throw new OptionError(
      '--out',
      `leads to ${quoteFile(current)}, which cannot be written (${code})`,
    )
  } finally {
    for (const { temporary, backup } of pending) {
      rmSync(temporary, { force: true })
      if (backup !== undefined) rmSync(backup, { force: true })
    }
  }
}

/**
 * Where files go: into a folder, which is made, or the only one under the name that is given.
 *
 * @throws {OptionError} where no folder can be made.
 */
export function resolveOutputPaths(
  files: readonly TemplateSource[],
  out: string,
): readonly TemplateSource[] {
  const isFolder = statIfExists(out)?.isDirectory() ?? /[\\/]$/.test(out)
  const [first] = files as [TemplateSource]
  if (files.length === 1 && !isFolder) return [{ file: out, text: first.text }]
  makeFolder(out)
  return files.map(({ file, text }) => ({ file: join(out, file), text }))
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new OptionError('--out', `is ${quoteFile(folder)}, which is no folder (${code})`)
  }
}

function preparePendingFile(target: string, exists: boolean): PendingFile {
  const createPath = (purpose: string): string =>
    join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.${purpose}`)
  return { target, temporary: createPath('new'), backup: exists ? createPath('old') : undefined }
}

function replaceFiles(pending: readonly PendingFile[]): void {
  const replaced: PendingFile[] = []
  try {
    for (const one of pending) {
      if (one.backup !== undefined) linkSync(one.target, one.backup)
      renameSync(one.temporary, one.target)
      replaced.push(one)
    }
  } catch (error) {
    for (const { target, backup } of replaced) {
      if (backup === undefined) rmSync(target)
      else renameSync(backup, target)
    }
    throw error
  }
}
