/**
 * Paths of the package's own files. The build bundles modules into chunks, so a path relative to
 * `import.meta.url` would not survive it: paths start at the root of the package.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A package may resolve itself by its name. */
const MANIFEST = createRequire(import.meta.url).resolve('cognito-m2m/package.json')
const THIS_FILE = fileURLToPath(import.meta.url)
const EXTENSION = extname(THIS_FILE)

/** The folder of package.json. */
export const PACKAGE_ROOT: string = dirname(MANIFEST)
/** The version in package.json. */
export const PACKAGE_VERSION: string = (
  JSON.parse(readFileSync(MANIFEST, 'utf8')) as { version: string }
).version
/** The first folder of this file: `src` in the repository, `dist` as installed. */
const CODE = join(PACKAGE_ROOT, relative(PACKAGE_ROOT, THIS_FILE).split(sep)[0] as string)

/** The path of a file that is not bundled, for example a page. */
export function resolvePackageFile(path: string): string {
  return join(CODE, path)
}

/** The path of a module, in source or built form, without its extension in `path`. */
export function resolvePackageModule(path: string): string {
  return join(CODE, path + EXTENSION)
}
