/** The files the page is made of: those beside this one, and the chart library as it was installed. */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { OptionError } from '../../../core/options/validate.ts'

export interface PageFile {
  readonly name: string
  readonly type: string
  readonly body: Buffer
  readonly etag: string
}

const FOLDER = fileURLToPath(new URL('./page/', import.meta.url))
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}
/** Where the library has them, under the names the page asks for. */
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
 * Reads them once: what is served is what was there when the app started.
 *
 * @param resolve Finds a file of an installed package.
 * @throws {OptionError} `ERR_OPTION_INVALID` where uPlot is not installed.
 */
export async function readPageFiles(
  resolve: (file: string) => string = createRequire(import.meta.url).resolve,
): Promise<readonly PageFile[]> {
  const own = (await readdir(FOLDER)).map((name) => readPageFile(name, join(FOLDER, name)))
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
  return Promise.all([...own, ...library])
}
