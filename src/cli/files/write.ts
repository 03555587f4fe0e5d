/** Writes files atomically: all of them or none. */
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
  /** Replaces existing files. */
  readonly force: boolean
  /**
   * Name of the option in messages.
   *
   * @defaultValue `'--out'`
   */
  readonly option?: string
  /** Aborts the write, until the first file is replaced. */
  readonly signal: AbortSignal
}

interface PendingFile {
  /** Final path, with links resolved. */
  readonly target: string
  /** Path of the new file before the rename. */
  readonly temporary: string
  /** Second name of the existing file. Undefined if there is none. */
  readonly backup: string | undefined
}

/**
 * Writes all files or none. All temporary files are complete before the first rename. If a rename fails, the
 * earlier ones are undone. If the process is killed, each file has its complete old or new content.
 *
 * @throws {OptionError} if a file exists without `force`, or cannot be written.
 * @throws {CommandFailure} if the signal aborts.
 */
export function writeFiles(files: readonly TemplateSource[], options: WriteOptions): void {
  const { force, option = '--out', signal } = options
  const pending: PendingFile[] = []
  let current = ''
  try {
    for (const { file, text } of files) {
      current = file
      const exists = lstatSync(file, { throwIfNoEntry: false }) !== undefined
      if (exists && !force) {
        throw new OptionError(
          '--out',
          `expected a new file, got ${quoteFile(file)}, which exists. Add --force to replace it.`,
        )
      }
      const pendingFile = preparePendingFile(exists ? realpathSync(file) : file, exists)
      pending.push(pendingFile)
      writeFileSync(pendingFile.temporary, text, { flag: 'wx', flush: true })
    }
    if (signal.aborted) throw new CommandFailure(EXIT.interrupted, 'interrupted')
    replaceFiles(pending)
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error
    const { code } = error as NodeJS.ErrnoException
    throw new OptionError(
      option,
      `expected a writable path, got ${quoteFile(current)} (${code}). Correct the path or its permissions.`,
    )
  } finally {
    for (const { temporary, backup } of pending) {
      rmSync(temporary, { force: true })
      if (backup !== undefined) rmSync(backup, { force: true })
    }
  }
}

/**
 * Resolves output paths: files in a folder, which is created, or a single file.
 *
 * @throws {OptionError} if the folder cannot be created.
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
    throw new OptionError(
      '--out',
      `expected a folder, got ${quoteFile(folder)} (${code}). Correct the path.`,
    )
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
