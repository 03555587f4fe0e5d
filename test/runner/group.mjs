/**
 * Runs test files one after another in one process, each as a separate test. Starting a process and loading tap costs
 * a second of processor time, and loading the modules under test costs as much again.
 */
import { register } from 'node:module'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { listChanges, readProcessState } from './process-state.mjs'

export async function runFiles(files) {
  // The `t` that a file imports is the test that stands for it, so teardowns and `beforeEach` end with the file.
  register('./tap-hooks.mjs', import.meta.url)
  for (const file of files) {
    const before = readProcessState()
    await t.test(file, async (t) => {
      globalThis[Symbol.for('cognito-m2m.file-test')] = t
      await import(pathToFileURL(file).href)
    })
    const changes = listChanges(before, readProcessState())
    if (changes.length > 0) t.fail(`${file} leaves no change behind`, { changes })
  }
}
