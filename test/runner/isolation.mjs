/** Which test files may share a process: none may notice what another one does there. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Fake timers apply to the whole process, so also to connections that an earlier file left open. */
const REPLACES_TIMERS = /\bmock\.timers\b|\btimers\(t\)|support\/(streams|upgrade-servers)\.ts/

/** Files that run alone, for reasons that their text does not show. */
export const RUN_ALONE = new Set([
  // Creates apps before the plugin is loaded.
  'test/adapters/fastify/unguarded-routes.test.ts',
  // Print the path of a temporary folder in a line of limited length; in a group the folder's name is longer.
  'test/cli/commands/check.test.ts',
  'test/cli/commands/local-template.test.ts',
  // Change the working directory.
  'test/cli/commands/check/config.test.ts',
  'test/cli/commands/check/fix.test.ts',
  // Measures the heap.
  'test/core/token/cache-size.test.ts',
  // Waits for timers of a connection, which keep no process alive.
  'test/tokens/store/redis-link.test.ts',
  // Limits with the same delays as those of test/support/redis.ts.
  'test/tokens/usage/redis-outage.test.ts',
])
const REAL_LIMIT = 'test/support/real-limit.ts'
const IMPORT = /from '(\.[^']+\.ts)'/g
const texts = new Map()

function readText(file) {
  if (!texts.has(file)) texts.set(file, readFileSync(file, 'utf8'))
  return texts.get(file)
}

/** @param file Path from the root of the repository, as for all functions here. */
export function mustRunAlone(file) {
  return file.endsWith('.long.ts') || RUN_ALONE.has(file) || REPLACES_TIMERS.test(readText(file))
}

/**
 * Whether a file, or a helper that it imports, extends real time limits (test/support/real-limit.ts). Such files share
 * processes only with each other: timers of other files would no longer keep the process alive.
 */
export function extendsTimers(file, visited = new Set()) {
  if (file === REAL_LIMIT) return true
  if (visited.has(file) || !file.startsWith('test/')) return false
  visited.add(file)
  return [...readText(file).matchAll(IMPORT)].some(([, path]) =>
    extendsTimers(join(dirname(file), path), visited),
  )
}
