/** Reads the recipes of docs/jest.md: the test, and of each section its files and its part of package.json. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

/** A block of JSON with the name of its file in the line before. */
const FILE = /`([\w.]+)`[^\n]*:\n\n```json\n(.*?)^```$/gms
const TEST = /^```js\n(\/\/ orders\.test\.js\n.*?)^```$/ms

/** By heading: name of the test's file, and environment variables of the run. */
const SECTIONS = {
  Babel: { testFile: 'orders.test.js', env: {} },
  'ts-jest': { testFile: 'orders.test.ts', env: {} },
  'Node.js 24': {
    testFile: 'orders.test.js',
    env: { NODE_OPTIONS: '--experimental-vm-modules' },
  },
}

export function readJestRecipes(page) {
  const text = readFileSync(page, 'utf8')
  const [, test] = TEST.exec(text) ?? []
  assert.ok(test, 'docs/jest.md: no test orders.test.js')
  return Object.entries(SECTIONS).map(([heading, { testFile, env }]) => {
    const start = text.indexOf(`\n## ${heading}\n`)
    assert.notEqual(start, -1, `docs/jest.md: no section ${heading}`)
    const end = text.indexOf('\n## ', start + 1)
    const files = Object.fromEntries(
      [...text.slice(start, end).matchAll(FILE)].map(([, name, json]) => [name, json]),
    )
    const { 'package.json': manifest, ...others } = files
    assert.ok(manifest, `docs/jest.md: ${heading} has no package.json`)
    for (const [name, value] of Object.entries(env)) {
      assert.ok(text.slice(start, end).includes(`${name}=${value} npx jest`), 'the command')
    }
    return {
      heading,
      manifest: JSON.parse(manifest),
      files: { ...others, [testFile]: test },
      env,
    }
  })
}
