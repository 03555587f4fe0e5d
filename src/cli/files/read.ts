/** The templates that are named on the command line: which of them are read together, and their text. */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import type { TemplateSource } from '../../contract/infra/index.ts'
import { OptionError } from '../../core/options/validate.ts'
import { quoteFile, statIfExists } from './flags.ts'

/** Bytes of one file. Templates are refused far below it, with their place. */
const MAX_FILE_BYTES = 20_000_000

/**
 * One group for each template of CloudFormation and for each folder with Terraform's files: a module.
 *
 * @param names Files and folders, relative to the working directory; they stay as they are written.
 * @param option What names them.
 * @throws {OptionError} naming what cannot be read.
 */
export function groupTemplates(
  names: readonly string[],
  option = 'TEMPLATE',
): readonly (readonly TemplateSource[])[] {
  const files = new Map(
    names
      .flatMap((name) => listFiles(name, option))
      .map((file) => [normalize(file), file] as const),
  )
  const groups = new Map<string, TemplateSource[]>()
  for (const [path, file] of files) {
    const key = isTerraform(file) ? dirname(path) : path
    const group = groups.get(key) ?? []
    group.push(readText(file, option))
    groups.set(key, group)
  }
  return [...groups.values()]
}

const isTerraform = (file: string): boolean => /\.tf(?:\.json)?$/i.test(file)

function listFiles(name: string, option: string): readonly string[] {
  const stat = statIfExists(name)
  if (stat === undefined) throw new OptionError(option, `is ${quoteFile(name)}: no such file`)
  if (!stat.isDirectory()) return [name]
  const files = readdirSync(name).filter(isTerraform).sort()
  if (files.length > 0) return files.map((file) => join(name, file))
  throw new OptionError(
    option,
    `is ${quoteFile(name)}, a folder without .tf files: name the templates in it`,
  )
}

/**
 * The text of a file or pipe, within a bound.
 *
 * @throws {OptionError} naming `option`.
 */
export function readText(file: string, option: string): TemplateSource {
  try {
    return { file, text: readBoundedText(file) }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new OptionError(option, `is ${quoteFile(file)} and cannot be read (${code ?? message})`)
  }
}

function readBoundedText(file: string): string {
  const descriptor = openSync(file, 'r')
  try {
    const chunks: Buffer[] = []
    let bytes = 0
    for (;;) {
      const chunk = Buffer.alloc(65_536)
      const read = readSync(descriptor, chunk)
      if (read === 0) return Buffer.concat(chunks).toString('utf8')
      chunks.push(chunk.subarray(0, read))
      bytes += read
      if (bytes > MAX_FILE_BYTES) throw new Error(`more than ${MAX_FILE_BYTES} bytes: split it`)
    }
  } finally {
    closeSync(descriptor)
  }
}
