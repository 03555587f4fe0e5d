/** Reads the recipe of docs/jest.md: Babel's configuration, a part of package.json, a test. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

const BLOCK = /^```(?:json|js)\n(.*?)^```$/gms

export function readJestRecipe(page) {
  const blocks = [...readFileSync(page, 'utf8').matchAll(BLOCK)].map(([, text]) => text)
  const [babel, manifest, test] = blocks
  assert.match(test, /^\/\/ orders\.test\.js\n/, 'docs/jest.md: the third block is the test')
  return {
    manifest: JSON.parse(manifest),
    files: { 'babel.config.json': babel, 'orders.test.js': test },
  }
}
