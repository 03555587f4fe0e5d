/**
 * Builds a `node_modules` folder from this repository's own, by copies instead of an installation: the given
 * packages and what they depend on, each where package-lock.json has it, and nothing else.
 */
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))

/** The path in the lock file that Node resolves `name` to, from the package at `from` ('' for the root). */
function locate(name, from) {
  for (let folder = from; ; folder = folder.slice(0, folder.lastIndexOf('node_modules/'))) {
    const path = `${folder}${folder === '' || folder.endsWith('/') ? '' : '/'}node_modules/${name}`
    if (path in packages) return path
    if (folder === '') return undefined
  }
}

/** The paths of `names` and of all that they depend on. An optional peer is included only if it is named. */
function closure(names) {
  const paths = new Set()
  const add = (name, from) => {
    const path = locate(name, from)
    if (path === undefined || paths.has(path)) return path !== undefined
    paths.add(path)
    const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } =
      packages[path]
    for (const it of Object.keys(dependencies ?? {})) {
      if (!add(it, path))
        throw new Error(`package-lock.json: ${path} needs ${it}, which is not there`)
    }
    for (const it of Object.keys(optionalDependencies ?? {})) add(it, path)
    for (const it of Object.keys(peerDependencies ?? {})) {
      if (peerDependenciesMeta?.[it]?.optional !== true) add(it, path)
    }
    return true
  }
  for (const name of names) {
    if (!add(name, '')) throw new Error(`package-lock.json: ${name} is not there. Run npm install.`)
  }
  return paths
}

const copy = (from, to) => cpSync(from, to, { recursive: true, verbatimSymlinks: true })

/**
 * @param unpacked The folder with the contents of the tarball.
 * @param names The dependencies of the consumer.
 * @param folder The consumer.
 */
export function copyPackages(unpacked, names, folder) {
  const { dependencies } = JSON.parse(readFileSync(join(unpacked, 'package.json'), 'utf8'))
  const paths = [...closure([...names, ...Object.keys(dependencies)])].sort()
  for (const path of paths) {
    const source = join(root, path)
    const target = join(folder, path)
    // A nested package came along with the package that contains it.
    if (!existsSync(target) && existsSync(source)) copy(source, target)
  }
  copy(unpacked, join(folder, 'node_modules/cognito-m2m'))
}
