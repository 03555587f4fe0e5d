/** The files of the page: the folder `page`, and the installed chart library. */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { extname, join } from 'node:path'
import { OptionError } from '../../../core/options/validate.ts'
import { resolvePackageFile } from '../../../core/util/package-files.ts'

export interface PageFile {
  readonly name: string
  readonly type: string
  readonly body: Buffer
  readonly etag: string
}

const FOLDER = resolvePackageFile('tokens/usage/dashboard/page')
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}
/** Files of the library, by the names that the page uses. */
const LIBRARY = [
  ['uplot.js', 'uplot/dist/uPlot.iife.min.js'],
  ['uplot.css', 'uplot/dist/uPlot.min.css'],
] as const

async function readPageFile(name: string, path: string): Promise<PageFile> {
  const body = await readFile(path)
  const type = TYPES[extname(name)] as string
  return { name, type, body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` }
}

/**
 * Reads all files once, so that a later change on disk has no effect.
 *
 * @param resolve Returns the path of a file in an installed package.
 * @throws {OptionError} `ERR_OPTION_INVALID` if uPlot is not installed.
 */
export async function readPageFiles(
  resolve: (file: string) => string = createRequire(import.meta.url).resolve,
): Promise<readonly PageFile[]> {
  const pageFiles = (await readdir(FOLDER)).map((name) => readPageFile(name, join(FOLDER, name)))
  const library = LIBRARY.map(async ([name, file]) => {
    try {
      return await readPageFile(name, resolve(file))
    } catch {
      throw new OptionError(
        'usageDashboard',
        'expected the peer dependency uplot, got none. Run npm install uplot.',
      )
    }
  })
  return Promise.all([...pageFiles, ...library])
}
