/** Positions of routes in an app with frozen intrinsics. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'

const run = promisify(execFile)
const MODULE = new URL('../../../src/cli/app-loader/stack.ts', import.meta.url).href

t.test('with a read-only Error.stackTraceLimit the place is found', async (t) => {
  const folder = t.testdir({
    'app.mjs': `import { getCallerPosition } from '${MODULE}'
      Object.defineProperty(Error, 'stackTraceLimit', { writable: false })
      process.stdout.write(JSON.stringify(getCallerPosition()))`,
  })
  const { stdout } = await run(process.execPath, [...process.execArgv, `${folder}/app.mjs`])
  t.match(JSON.parse(stdout), { file: /app\.mjs$/, line: 3 })
})
