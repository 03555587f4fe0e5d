/** Reads the templates of the command line, and groups the files of one Terraform module. */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import type { TemplateSource } from '../../contract/infra/index.ts'
import { OptionError } from '../../core/options/validate.ts'
import { quoteFile, statIfExists } from './flags.ts'

/** Size limit of a file. The template reader has lower limits, and reports them with a position. */
const MAX_FILE_BYTES = 20_000_000

/**
 * Reads templates into groups: one for each CloudFormation template, and one for each folder of Terraform files.
 *
 * @param names Files and folders, relative to the working directory.
 * @param option Name of the option in messages.
 * @throws {OptionError} for a file or folder that cannot be read.
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
  if (stat === undefined)
    throw new OptionError(
      option,
      `expected an existing file, got ${quoteFile(name)}. Correct the path.`,
    )
  if (!stat.isDirectory()) return [name]
  const files = readdirSync(name).filter(isTerraform).sort()
  if (files.length > 0) return files.map((file) => join(name, file))
  throw new OptionError(
    option,
    `expected a folder with .tf files, got ${quoteFile(name)}. Name the templates in it.`,
  )
}

/**
 * Reads the text of a file or pipe, up to a size limit.
 *
 * @throws {OptionError} for `option`.
 */
export function readText(file: string, option: string): TemplateSource {
  try {
    return { file, text: readBoundedText(file) }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new OptionError(
      option,
      `expected a readable file, got ${quoteFile(file)} (${code ?? message}). Correct the path or the file.`,
    )
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
      if (bytes > MAX_FILE_BYTES) throw new Error(`more than ${MAX_FILE_BYTES} bytes`)
    }
  } finally {
    closeSync(descriptor)
  }
}
