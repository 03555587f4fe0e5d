/** Files of .github: they parse, their scripts exist, and their permissions are the least that each job needs. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseDocument } from 'yaml'

interface Step {
  readonly uses?: string
  readonly run?: string
}

interface Job {
  readonly 'timeout-minutes'?: number
  readonly permissions?: Readonly<Record<string, string>>
  readonly container?: string
  readonly steps: readonly Step[]
}

interface Workflow {
  readonly name: string
  readonly on: Readonly<Record<string, unknown>>
  readonly permissions: Readonly<Record<string, string>>
  readonly jobs: Readonly<Record<string, Job>>
}

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>
}

function readYaml(file: string): unknown {
  const document = parseDocument(readFileSync(file, 'utf8'), { strict: true, uniqueKeys: true })
  const [problem] = [...document.errors, ...document.warnings]
  if (problem !== undefined) throw new Error(`${file}: ${problem.message}`)
  return document.toJS()
}

const FOLDER = '.github/workflows'
const workflows = readdirSync(FOLDER).map((name) => ({
  name,
  workflow: readYaml(join(FOLDER, name)) as Workflow,
}))
const jobs = workflows.flatMap(({ name, workflow }) =>
  Object.entries(workflow.jobs).map(([id, job]) => ({ id: `${name}: ${id}`, job })),
)

/** Lists the npm scripts that a command runs. */
const listScripts = (run: string): string[] => [
  ...[...run.matchAll(/\bnpm run (?:--silent )?([\w:-]+)/g)].map(([, name = '']) => name),
  ...(/\bnpm test\b/.test(run) ? ['test'] : []),
]

t.test('every file of .github is YAML without duplicate keys', async (t) => {
  const files = readdirSync('.github', { recursive: true, encoding: 'utf8' })
  const documents = files.filter((file) => file.endsWith('.yml'))
  t.ok(documents.length >= 9)
  for (const file of documents) t.type(readYaml(join('.github', file)), 'object', file)
})

t.test('workflows for the gate, the release, the docs and the night', async (t) => {
  t.strictSame(
    workflows.map(({ name }) => name),
    ['docs.yml', 'gate.yml', 'nightly.yml', 'release.yml'],
  )
  const run = jobs.flatMap(({ job }) => job.steps.map((step) => step.run ?? ''))
  const names = new Set(run.flatMap(listScripts))
  t.strictSame([...names].sort(), ['ci', 'docs', 'soak', 'test', 'test:all'])
  for (const name of names) t.ok(name in scripts, `npm run ${name}`)
  t.ok(run.some((line) => line.startsWith('npm sbom ')))
  t.ok(run.some((line) => line.includes('npm publish')))
})

t.test('commands are valid shell and contain no text from an event', async (t) => {
  for (const { id, job } of jobs) {
    for (const { run } of job.steps) {
      if (run === undefined) continue
      t.notMatch(run, /\$\{\{ *(?:github|inputs|needs|steps)\b/, id)
      const plain = run.replaceAll(/\$\{\{[^}]*\}\}/g, 'x')
      t.equal(spawnSync('bash', ['-n'], { input: plain }).status, 0, `${id}: ${run}`)
    }
  }
})

t.test('permissions: read by default, more in the jobs that publish', async (t) => {
  for (const { name, workflow } of workflows) {
    t.strictSame(workflow.permissions, { contents: 'read' }, name)
    t.notOk('pull_request_target' in workflow.on, name)
  }
  const raised = jobs.filter(({ job }) => job.permissions !== undefined)
  t.strictSame(Object.fromEntries(raised.map(({ id, job }) => [id, job.permissions])), {
    'docs.yml: deploy': { pages: 'write', 'id-token': 'write' },
    'release.yml: publish': { contents: 'read', 'id-token': 'write' },
  })
})

t.test('every job has a time limit and pinned actions', async (t) => {
  for (const { id, job } of jobs) {
    t.ok(job['timeout-minutes'], id)
    for (const { uses } of job.steps) {
      if (uses === undefined) continue
      if (uses.startsWith('./')) t.ok(existsSync(join(uses, 'action.yml')), uses)
      else t.match(uses, /^actions\/[a-z-]+@(?:v\d+|[0-9a-f]{40})$/, id)
    }
  }
})

t.test('issue forms have what GitHub requires', async (t) => {
  for (const file of ['bug.yml', 'feature.yml']) {
    const form = readYaml(join('.github/ISSUE_TEMPLATE', file)) as {
      readonly name: string
      readonly description: string
      readonly body: readonly {
        readonly type: string
        readonly id?: string
        readonly attributes: { readonly label?: string; readonly value?: string }
      }[]
    }
    t.type(form.name, 'string')
    t.type(form.description, 'string')
    for (const { type, id, attributes } of form.body) {
      t.match(type, /^(?:markdown|textarea|input)$/)
      if (type === 'markdown') t.type(attributes.value, 'string')
      else t.match({ id, label: attributes.label }, { id: /^[a-z]+$/, label: /./ })
    }
    const ids = form.body.flatMap(({ id }) => id ?? [])
    t.equal(new Set(ids).size, ids.length)
  }
})

t.test('dependabot watches every lock file and the actions', async (t) => {
  const { updates } = readYaml('.github/dependabot.yml') as {
    readonly updates: readonly {
      readonly 'package-ecosystem': string
      readonly directories: readonly string[]
    }[]
  }
  const [npm, actions] = updates
  t.equal(npm?.['package-ecosystem'], 'npm')
  for (const folder of npm?.directories ?? []) {
    t.ok(existsSync(join('.', folder, 'package-lock.json')), folder)
  }
  t.equal(actions?.['package-ecosystem'], 'github-actions')
})
