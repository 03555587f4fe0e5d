/** The site. The pages are written to .pages by build.mjs, which starts VitePress. */
import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitepress'
import { anchor, configureMarkdown } from '../markdown.mjs'
import { readManifest, readRepository } from '../pages.mjs'

const { name, description } = readManifest()
const groups = JSON.parse(readFileSync(new URL('../.pages/groups.json', import.meta.url), 'utf8'))
const repository = readRepository()

const sidebar = groups.map(({ title, pages }) => ({
  text: title,
  items: pages.map((page) => ({
    text: page.name === 'index' ? 'Overview' : page.title,
    link: `/${page.name}`,
  })),
}))

const ICON =
  'data:image/svg+xml,%3Csvg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"%3E%3Crect width="32" height="32" rx="7" fill="%230b6e4f"/%3E%3Cpath d="M9 15h14v10H9zM12 15v-3a4 4 0 0 1 8 0v3" fill="none" stroke="white" stroke-width="2.5"/%3E%3C/svg%3E'

/** Ranks guides before the API reference, which has every term too. The function runs in the browser. */
const boostDocument = (id) => (id.includes('/api/') ? 0.25 : 1)

export default defineConfig({
  title: name,
  description,
  lang: 'en-US',
  // The path under which the site is served, with a slash at both ends.
  base: process.env.DOCS_BASE ?? '/',
  srcDir: '.pages',
  outDir: 'dist',
  cacheDir: '.cache',
  head: [
    ['meta', { name: 'theme-color', content: '#0b6e4f' }],
    ['link', { rel: 'icon', href: ICON }],
  ],
  markdown: {
    anchor,
    config: configureMarkdown,
    theme: { light: 'github-light', dark: 'github-dark' },
  },
  themeConfig: {
    sidebar,
    outline: [2, 3],
    search: {
      provider: 'local',
      options: { miniSearch: { searchOptions: { boostDocument } } },
    },
    nav: groups.map(({ title, pages }) => ({ text: title, link: `/${pages[0].name}` })),
    socialLinks: repository ? [{ icon: 'github', link: repository }] : undefined,
    docFooter: { prev: 'Previous', next: 'Next' },
  },
})
