/** Reasons not to publish a version. Each is one line that names the fix. */

/** Fields of package.json that lead to the project. They are the only place where its addresses are written. */
const ADDRESSES = {
  repository: 'the object { "type": "git", "url": "git+https://…" }',
  homepage: 'the address of the docs site',
  bugs: 'the address for issues',
}

const readAddress = (field) => (typeof field === 'string' ? field : field?.url)

function* checkAddresses(manifest) {
  for (const [field, value] of Object.entries(ADDRESSES)) {
    const address = readAddress(manifest[field])
    if (!/^(?:git\+)?https:\/\/./.test(address ?? '')) {
      yield `package.json ${field}: expected an https address, got ${address || 'none'}. Set it to ${value}.`
    }
  }
}

/** npm signs provenance with an id token that only these two services issue. */
const hasIdToken = (env) =>
  (env.GITHUB_ACTIONS === 'true' && Boolean(env.ACTIONS_ID_TOKEN_REQUEST_URL)) ||
  (env.GITLAB_CI === 'true' && Boolean(env.SIGSTORE_ID_TOKEN))

function* checkProvenance({ publishConfig }, env) {
  if (publishConfig?.provenance !== true) {
    yield `package.json publishConfig.provenance: expected true, got ${publishConfig?.provenance}. Set it to true.`
  }
  if (!hasIdToken(env)) {
    yield 'provenance: expected CI with an id token, got none. Publish with .github/workflows/release.yml.'
  }
}

function* checkVersion({ version }, changelog, env) {
  const [heading] = changelog.match(/^## .*$/m) ?? []
  const isReleased = /^## \[?([^\]\s]+)\]?(?: \(| - )\d{4}-\d\d-\d\d\)?$/.exec(heading ?? '')
  if (isReleased?.[1] !== version) {
    yield `CHANGELOG.md: expected "## ${version} (YYYY-MM-DD)" as the first version, got "${heading ?? 'none'}". Add it with the date of the release.`
  }
  if (env.GITHUB_REF_TYPE === 'tag' && env.GITHUB_REF_NAME !== `v${version}`) {
    yield `tag: expected v${version}, got ${env.GITHUB_REF_NAME}. Tag the commit with the version of package.json.`
  }
}

function* checkCommit({ head, gate, changes }) {
  if (gate !== head) {
    yield `gate: expected a green gate of ${head}, got ${gate || 'none'}. Run npm run ci.`
  }
  const count = changes.split('\n').filter(Boolean).length
  if (count > 0) yield `working tree: expected no changes, got ${count}. Commit or stash them.`
}

/**
 * Lists the reasons not to publish.
 *
 * @param state `manifest`: package.json. `changelog`: its text. `head`: the commit. `gate`: the commit that passed the
 * gate. `changes`: output of `git status --porcelain`. `env`: environment variables.
 */
export function listRefusals({ manifest, changelog, env, ...commit }) {
  return [
    ...checkAddresses(manifest),
    ...checkProvenance(manifest, env),
    ...checkVersion(manifest, changelog, env),
    ...checkCommit(commit),
  ]
}
