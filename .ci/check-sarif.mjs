/**
 * Validates SARIF output with Microsoft's validator: `npm run check:sarif`. The validator has 50 MB, so it is no
 * development dependency. npm installs it for the run.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const VALIDATOR = '@microsoft/sarif-multitool-linux@5.7.0'
const PROGRAM = 'node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool'
/** Deployments with every kind of finding, and one without findings. */
const DEPLOYMENTS = [
  ['examples/drift/sam/drifted/auth.yaml', 'examples/drift/sam/drifted/api.yaml'],
  ['examples/drift/terraform/drifted', '--routes', 'examples/drift/terraform/drifted/routes.json'],
  ['examples/drift/sam/clean/auth.yaml', 'examples/drift/sam/clean/api.yaml'],
]

const folder = mkdtempSync(join(tmpdir(), 'sarif-'))

/** @returns Problems that the validator reports: the rules of SARIF and those of GitHub code scanning. */
function validate(name, text) {
  const file = join(folder, `${name}.sarif`)
  const report = join(folder, `${name}.report.sarif`)
  writeFileSync(file, text)
  const args = ['validate', file, '--rule-kind', 'Sarif;Ghas', '--output', report]
  // .NET needs no translations here, and the image has no library for them.
  const env = { ...process.env, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1' }
  spawnSync(join(folder, PROGRAM), args, { encoding: 'utf8', env })
  const [{ results = [] }] = JSON.parse(readFileSync(report, 'utf8')).runs
  return results.map(({ ruleId, level = 'warning', message }) => ({ ruleId, level, message }))
}

let count = 0
try {
  execFileSync('npm', ['install', '--prefix', folder, '--no-save', '--no-audit', VALIDATOR], {
    stdio: 'ignore',
  })
  chmodSync(join(folder, PROGRAM), 0o755)
  for (const [index, args] of DEPLOYMENTS.entries()) {
    const command = ['dist/cli/main.js', 'check', ...args, '--format', 'sarif']
    const { status, stdout, stderr } = spawnSync('node', command, { encoding: 'utf8' })
    if (status !== 0 && status !== 1) throw new Error(`check ended with ${status}: ${stderr}`)
    const problems = validate(String(index), stdout)
    if (problems.length > 0) throw new Error(JSON.stringify(problems, null, 2))
    const log = JSON.parse(stdout)
    count += log.runs[0].results.length
    // The validator must find what is wrong.
    delete log.runs[0].tool.driver.name
    if (validate(`${index}-wrong`, JSON.stringify(log)).length === 0) {
      throw new Error('the validator accepts a log without the name of the tool')
    }
  }
} finally {
  rmSync(folder, { recursive: true })
}
if (count === 0) throw new Error('no result was validated')
process.stdout.write(`sarif: ${count} results are valid\n`)
