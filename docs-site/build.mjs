/** `npm run docs`: writes the pages and the API reference to .pages, and builds the site into dist. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'vitepress'
import { checkSite } from '../.ci/links.mjs'
import { writeLlmsFiles } from './llms.mjs'
import { groupPages, listPages, readManifest, writePages } from './pages.mjs'
import { writeReference } from './reference.mjs'

const folder = join(import.meta.dirname, '.pages')
const site = join(import.meta.dirname, 'dist')

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder)
const pages = listPages()
const groups = groupPages(pages).map(({ title, pages }) => ({
  title,
  pages: pages.map(({ name, title }) => ({ name, title })),
}))
writePages(pages, folder)

const subpaths = await writeReference(join(folder, 'api'))
groups.push({
  title: 'API reference',
  pages: subpaths.map(({ name, title }) => ({ name: `api/${name}`, title })),
})
writeFileSync(join(folder, 'groups.json'), JSON.stringify(groups))

await build(import.meta.dirname)
const { name, description } = readManifest()
writeLlmsFiles({ name, description, groups }, folder, site)

const { count, broken } = checkSite(site, process.env.DOCS_BASE)
if (broken.length > 0) {
  for (const line of broken) process.stderr.write(`${line}\n`)
  throw new Error(`docs: ${broken.length} of ${count} links of the site lead nowhere`)
}
process.stdout.write(
  `${pages.length} pages, a reference of ${subpaths.length} subpaths; ${count} links of the site resolve\n`,
)
