/** What refuses a release, and that npm asks before it publishes. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { listRefusals, type ReleaseState } from '../../.ci/release.mjs'

const READY: ReleaseState = {
  manifest: {
    version: '1.2.3',
    repository: { type: 'git', url: 'git+https://git.example/a/b.git' },
    homepage: 'https://b.example',
    bugs: 'https://git.example/a/b/issues',
    publishConfig: { provenance: true },
  },
  changelog: '# Changelog\n\n## 1.2.3 (2026-11-30)\n\n## 1.2.2 (2026-11-01)\n',
  head: 'abc',
  gate: 'abc',
  changes: '',
  env: { GITHUB_ACTIONS: 'true', ACTIONS_ID_TOKEN_REQUEST_URL: 'https://token.example' },
}

const refuse = (change: Partial<ReleaseState>) => listRefusals({ ...READY, ...change })
const withManifest = (fields: object) => refuse({ manifest: { ...READY.manifest, ...fields } })

t.test('a release that is ready is not refused', async (t) => {
  t.strictSame(listRefusals(READY), [])
  t.strictSame(withManifest({ bugs: { url: 'https://git.example/a/b/issues' } }), [])
  t.strictSame(refuse({ changelog: '## [1.2.3] - 2026-11-30\n' }), [])
  t.strictSame(refuse({ env: { GITLAB_CI: 'true', SIGSTORE_ID_TOKEN: 'token' } }), [])
})

t.test('addresses of the project', async (t) => {
  t.strictSame(
    withManifest({ repository: undefined, homepage: '', bugs: { url: 'http://x.example' } }),
    [
      'package.json repository: expected an https address, got none. Set it to the object { "type": "git", "url": "git+https://…" }.',
      'package.json homepage: expected an https address, got none. Set it to the address of the docs site.',
      'package.json bugs: expected an https address, got http://x.example. Set it to the address for issues.',
    ],
  )
})

t.test('provenance', async (t) => {
  t.strictSame(withManifest({ publishConfig: { access: 'public' } }), [
    'package.json publishConfig.provenance: expected true, got undefined. Set it to true.',
  ])
  const noToken =
    'provenance: expected CI with an id token, got none. Publish with .github/workflows/release.yml.'
  for (const env of [
    {},
    { GITHUB_ACTIONS: 'true' },
    { ACTIONS_ID_TOKEN_REQUEST_URL: 'https://token.example' },
    { GITLAB_CI: 'true' },
  ]) {
    t.strictSame(refuse({ env }), [noToken])
  }
})

t.test('a version that the changelog has not released', async (t) => {
  for (const heading of ['## 1.2.3 (unreleased)', '## 1.2.4 (2026-11-30)', '## 1.2.3']) {
    t.strictSame(refuse({ changelog: `${heading}\n\n## 1.2.3 (2026-11-30)\n` }), [
      `CHANGELOG.md: expected "## 1.2.3 (YYYY-MM-DD)" as the first version, got "${heading}". Add it with the date of the release.`,
    ])
  }
  t.match(refuse({ changelog: '' }), [/got "none"/])
})

t.test('a tag of another version', async (t) => {
  const tag = { ...READY.env, GITHUB_REF_TYPE: 'tag' }
  t.strictSame(refuse({ env: { ...tag, GITHUB_REF_NAME: 'v1.2.3' } }), [])
  t.strictSame(refuse({ env: { ...tag, GITHUB_REF_NAME: 'v1.2.4' } }), [
    'tag: expected v1.2.3, got v1.2.4. Tag the commit with the version of package.json.',
  ])
})

t.test('a commit without a green gate, and a dirty tree', async (t) => {
  t.strictSame(refuse({ gate: '' }), [
    'gate: expected a green gate of abc, got none. Run npm run ci.',
  ])
  t.strictSame(refuse({ gate: 'abb' }), [
    'gate: expected a green gate of abc, got abb. Run npm run ci.',
  ])
  t.strictSame(refuse({ changes: ' M a.ts\n?? b.ts' }), [
    'working tree: expected no changes, got 2. Commit or stash them.',
  ])
})

t.test('npm publish runs the check, which refuses outside of CI', async (t) => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>
  }
  t.equal(scripts['prepublishOnly'], 'npm run --silent release:check')
  t.equal(scripts['release:check'], 'node .ci/release-check.mjs')
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'] }
  const { status, stdout, stderr } = spawnSync(process.execPath, ['.ci/release-check.mjs'], {
    env,
    encoding: 'utf8',
  })
  t.equal(status, 1)
  t.equal(stdout, '')
  t.match(stderr, 'release:check: provenance: expected CI with an id token, got none.')
  for (const line of stderr.trimEnd().split('\n')) t.match(line, /^release:check: .+\. [A-Z].+\.$/)
})
