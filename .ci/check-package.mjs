/**
 * Packs the tarball, checks what is in it, and uses it as ESM, CommonJS, TypeScript and Jest projects do
 * (.ci/consumers), each subpath with its own peer alone.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Consumers } from './package/consumers.mjs'
import { checkContents } from './package/contents.mjs'

const root = join(import.meta.dirname, '..')
const work = mkdtempSync(join(tmpdir(), 'cognito-m2m-package-'))

function pack() {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', work]
  const [{ filename }] = JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8' }))
  return join(work, filename)
}

function folder(name) {
  const path = join(work, name)
  mkdirSync(path)
  return path
}

try {
  const tarball = pack()
  const unpacked = folder('unpacked')
  const count = checkContents(tarball, unpacked)
  const consumers = new Consumers(tarball, join(unpacked, 'package'), folder('consumers'))
  consumers.runApp('bundle')
  consumers.runApp('esm', ['exercise.cjs'])
  consumers.runApp('commonjs', ['exercise.cjs'])
  consumers.runApp('aws-sdk')
  consumers.runApp('nestjs-11')
  for (const name of readdirSync(join(root, '.ci/consumers/types'))) {
    if (name !== 'tsconfig') consumers.runTypes(name)
  }
  consumers.runApp('dashboard-without-chart')
  consumers.runApp('dashboard')
  consumers.runJest()
  process.stdout.write(
    `package: ${count} files; ESM, CommonJS, TypeScript, AWS SDK and Jest consumers pass\n`,
  )
} finally {
  rmSync(work, { recursive: true, force: true })
}
