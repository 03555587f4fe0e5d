/** Files that share a process: which ones may, and that one which changes the process fails. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { extendsTimers, mustRunAlone, RUN_ALONE } from './isolation.mjs'

t.test('files that run alone are in the repository', async (t) => {
  for (const file of RUN_ALONE) {
    t.ok(existsSync(file), file)
    t.ok(mustRunAlone(file))
  }
})

t.test('files with fake timers, and with longer real ones', async (t) => {
  t.ok(mustRunAlone('test/core/hooks.test.ts'), 'mock.timers')
  t.ok(mustRunAlone('test/core/upgrades.test.ts'), 'through a helper')
  t.ok(mustRunAlone('test/tokens/proxy/fleet.long.ts'), 'long')
  t.notOk(mustRunAlone('test/core/scopes.test.ts'))
  t.ok(extendsTimers('test/tokens/store/contract.test.ts'), 'through support/redis.ts')
  t.notOk(extendsTimers('test/core/scopes.test.ts'))
})

t.test('each file has a separate test, and fails if it changes the process', async (t) => {
  const files = {
    'a.test.ts': `import t from 'tap'
      t.test('first', async (t: object) => {})`,
    'b.test.ts': `import t from 'tap'
      process.env.LEFT_BEHIND = '1'
      Math.random = () => 0
      process.on('warning', () => {})
      t.test('second', async () => {})`,
    'c.test.ts': "import t from 'tap'; t.pass('third')",
  }
  const folder = t.testdir(files)
  const paths = Object.keys(files).map((file) => join(folder, file))
  const group = JSON.stringify(new URL('./group.mjs', import.meta.url).href)
  const program = `import { runFiles } from ${group}\nawait runFiles(${JSON.stringify(paths)})`
  const options = ['--import=./test/typescript/register.mjs', '--input-type=module', '--eval']
  const { TAP_CHILD_ID: _, ...env } = process.env
  const run = spawnSync(process.execPath, [...options, program], { env, encoding: 'utf8' })
  t.equal(run.status, 1)
  t.match(run.stdout, /ok 1 - first.*ok 1 - second.*ok 1 - third/s)
  t.strictSame(run.stdout.match(/^not ok.*$/gm)?.length, 1)
  t.match(run.stdout, /^not ok 3 - \S*b\.test\.ts leaves no change behind$/m)
  for (const name of ['process.env.LEFT_BEHIND', 'Math.random', 'listeners of warning'])
    t.ok(run.stdout.includes(`- ${name}`), name)
})
