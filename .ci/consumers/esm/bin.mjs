/** The installed bin reports the version of the package, and its manuals name files that are installed. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import manifest from 'cognito-m2m/package.json' with { type: 'json' }

const version = execFileSync('npx', ['cognito-m2m', '--version'], { encoding: 'utf8' })
assert.equal(version.trim(), manifest.version)

const manual = execFileSync('npx', ['cognito-m2m', 'help', 'check'], { encoding: 'utf8' })
const [page] = /\S+check-codes\.md$/m.exec(manual) ?? []
assert(page !== undefined && existsSync(page), `help check names ${page}`)
