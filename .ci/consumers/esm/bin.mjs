/** The installed bin reports the version of the package. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import manifest from 'cognito-m2m/package.json' with { type: 'json' }

const version = execFileSync('npx', ['cognito-m2m', '--version'], { encoding: 'utf8' })
assert.equal(version.trim(), manifest.version)
