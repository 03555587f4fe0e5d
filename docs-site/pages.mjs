/** The pages of the site: their sources, their groups in the sidebar, and their links between each other. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { listHeadings, replaceTargets } from '../.ci/markdown.mjs'

export const root = join(import.meta.dirname, '..')

/** Where sources outside of docs are published. docs/NAME.md becomes NAME.md. */
const NAMES = new Map([
  ['README.md', 'index.md'],
  ['docs/README.md', 'documentation.md'],
  ['ARCHITECTURE.md', 'architecture.md'],
  ['CHANGELOG.md', 'changelog.md'],
  ['CONTRIBUTING.md', 'contributing.md'],
  ['SECURITY.md', 'security.md'],
  ['bench/README.md', 'benchmarks.md'],
])

/**
 * Groups of the sidebar, in the order of a reader. Each entry is the name of a page, or the start of names before `*`.
 * Every page of docs is in exactly one group.
 */
const GROUPS = [
  ['Start', ['index', 'documentation', 'from-zero', 'migrat*']],
  [
    'Guides',
    [
      ...['fastify', 'express', 'hono', 'koa', 'nestjs', 'mcp', 'fetch', 'lambda', 'core'],
      ...['requirements', 'scopes', 'claims', 'connections', 'resource-metadata', 'openapi'],
      ...['client', 'proxy', 'proxy-*', 'two-regions', 'http-clients', 'rotat*', 'token-stores'],
      ...['testing', 'jest', 'local-pool'],
    ],
  ],
  [
    'Operate',
    [
      ...['deploy*', 'shutdown', 'observability', 'logs', 'metrics', 'alerts'],
      ...['outage-runbook', 'troubleshooting', 'usage', 'usage-import', 'dashboard'],
    ],
  ],
  ['Reference', ['options', 'errors', 'verification', 'versioning', 'changelog']],
  ['CLI and IaC', ['cli', 'check', 'check-codes', 'export', 'infra']],
  [
    'Explain',
    ['architecture', 'outages', 'threat-model', 'security', 'benchmarks', 'contributing'],
  ],
]

/** @returns One entry for each page: its source in the repository, its name on the site and its title. */
export function listPages() {
  const docs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'))
  const sources = [...NAMES.keys(), ...docs.map((name) => `docs/${name}`)]
  return [...new Set(sources)].map((source) => {
    const name = (NAMES.get(source) ?? posix.basename(source)).replace(/\.md$/, '')
    const text = readFileSync(join(root, source), 'utf8')
    const [title] = listHeadings(text).filter(({ level }) => level === 1)
    if (title === undefined) throw new Error(`${source}: expected a heading, got none`)
    return { source, name, title: title.text, text }
  })
}

/**
 * Sorts pages into the groups of the sidebar.
 *
 * @throws Error if a page is in no group, or in two.
 */
export function groupPages(pages) {
  const matches = (entry, name) =>
    entry.endsWith('*') ? name.startsWith(entry.slice(0, -1)) : name === entry
  const groups = GROUPS.map(([title, entries]) => ({
    title,
    pages: entries.flatMap((entry) => pages.filter(({ name }) => matches(entry, name))),
  }))
  const grouped = groups.flatMap((group) => group.pages.map(({ name }) => name))
  for (const { source, name } of pages) {
    const count = grouped.filter((it) => it === name).length
    if (count !== 1) {
      throw new Error(
        `${source}: expected one group of the sidebar, got ${count}. Edit GROUPS in docs-site/pages.mjs.`,
      )
    }
  }
  return groups.filter((group) => group.pages.length > 0)
}

export const readManifest = () => JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** @returns The address of the repository from package.json, or undefined while it has none. */
export function readRepository() {
  const { repository } = readManifest()
  const url = typeof repository === 'string' ? repository : repository?.url
  return url?.replace(/^git\+/, '').replace(/\.git$/, '')
}

/**
 * Writes the pages into a folder, with links that work there and the images that they show.
 *
 * @param repository Links to files that are no pages lead there. Undefined keeps only the text of these links.
 */
export function writePages(pages, folder, repository = readRepository()) {
  const names = new Map(pages.map(({ source, name }) => [source, name]))
  for (const { source, name, text } of pages) {
    const replaceTarget = (target) => {
      const [path, anchor] = target.split('#')
      if (path === '') return target
      const fragment = anchor === undefined ? '' : `#${anchor}`
      const linked = posix.join(posix.dirname(source), path)
      const page = names.get(linked) ?? names.get(posix.join(linked, 'README.md'))
      if (page !== undefined) return `./${page}.md${fragment}`
      if (/\.(?:svg|png|gif|webp)$/.test(linked)) return copyImage(linked, folder)
      if (!existsSync(join(root, linked))) throw new Error(`${source}: no file ${target}`)
      return repository && `${repository}/blob/main/${linked}${fragment}`
    }
    writeFileSync(join(folder, `${name}.md`), replaceTargets(text, replaceTarget))
  }
}

function copyImage(image, folder) {
  const path = posix.join('images', posix.basename(image))
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  copyFileSync(join(root, image), join(folder, path))
  return `./${path}`
}
