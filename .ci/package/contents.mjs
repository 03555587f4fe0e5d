/** What the tarball may contain: files on a list, no broken link, no private key, no script that runs on install. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkMarkdown, listDocuments } from '../links.mjs'

const ALLOWED =
  /^(?:dist\/.+\.(?:js|d\.ts|js\.map)|dist\/tokens\/usage\/dashboard\/page\/[a-z]+\.(?:html|css|js|svg)|schemas\/[a-z]+\.json|deploy\/README\.md|deploy\/[a-z]+\/[a-z.]+\.(?:yaml|json|tf)|docs\/(?:images\/)?[\w-]+\.(?:md|svg|png)|examples\/(?:drift|[\w-]+)\/[\w-]+\.(?:ts|md)|bench\/README\.md|package\.json|(?:README|ARCHITECTURE|CHANGELOG|CONTRIBUTING|SECURITY)\.md|LICENSE)$/
/** A file more takes time to install: npm unpacks each by itself. */
const MAX_FILES = 899
const INSTALL_SCRIPTS = [
  'preinstall',
  'install',
  'postinstall',
  'prepare',
  'preprepare',
  'postprepare',
]
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----|"(?:d|dp|dq|qi)"\s*:\s*"[A-Za-z0-9_-]{40,}"/

/** @returns The number of files in the tarball, which is unpacked into `folder`. */
export function checkContents(tarball, folder) {
  const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n')
  for (const file of files) {
    assert.match(file.replace(/^package\//, ''), ALLOWED, 'a file that is not on the list')
  }
  assert(
    files.length <= MAX_FILES,
    `expected at most ${MAX_FILES} files, got ${files.length}. Merge or leave out some.`,
  )
  execFileSync('tar', ['-xzf', tarball, '-C', folder])
  for (const file of files) {
    // Not assert.doesNotMatch: it would print the key.
    assert(
      !PRIVATE_KEY.test(readFileSync(join(folder, file), 'utf8')),
      `${file} contains a private key`,
    )
  }
  const unpacked = join(folder, 'package')
  const { broken } = checkMarkdown(unpacked, listDocuments(unpacked))
  assert.deepEqual(broken, [], 'links that lead to no file of the package')
  const { scripts } = JSON.parse(readFileSync(join(folder, 'package/package.json'), 'utf8'))
  for (const script of INSTALL_SCRIPTS) {
    assert(!(script in scripts), `script ${script} runs on install`)
  }
  return files.length
}
