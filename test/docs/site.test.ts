/** The docs site: every page is in the sidebar, its links are those of the site, and prose never becomes code of Vue. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { listTargets } from '../../.ci/markdown.mjs'
import { configureMarkdown, type MarkdownIt } from '../../docs-site/markdown.mjs'
import { groupPages, listPages, type Page, writePages } from '../../docs-site/pages.mjs'

t.test('every page of docs is in one group of the sidebar', async (t) => {
  const pages = listPages()
  const groups = groupPages(pages)
  const titles = ['Start', 'Guides', 'Operate', 'Reference', 'CLI and IaC', 'Explain']
  t.strictSame(
    groups.map(({ title }) => title),
    titles,
  )
  const sources = groups.flatMap((group) => group.pages.map(({ source }) => source))
  t.equal(new Set(sources).size, sources.length)
  for (const file of readdirSync('docs').filter((name) => name.endsWith('.md'))) {
    t.ok(sources.includes(join('docs', file)), file)
  }
  for (const file of ['README.md', 'CHANGELOG.md', 'SECURITY.md', 'ARCHITECTURE.md']) {
    t.ok(sources.includes(file), file)
  }
})

t.test('a page in no group stops the build', async (t) => {
  const page: Page = { source: 'docs/lost.md', name: 'lost', title: 'Lost', text: '# Lost' }
  t.throws(() => groupPages([page]), {
    message:
      'docs/lost.md: expected one group of the sidebar, got 0. Edit GROUPS in docs-site/pages.mjs.',
  })
})

t.test('links lead to pages of the site, and images are copied', async (t) => {
  const folder = t.testdir()
  const text =
    '# Page\n[a](core.md#issuers) [b](../README.md) [c](README.md) ![d](architecture.svg) [e](../biome.json)\n'
  const page: Page = { source: 'docs/page.md', name: 'page', title: 'Page', text }
  writePages([page, ...listPages()], folder)
  t.equal(
    readFileSync(join(folder, 'page.md'), 'utf8').replace(/ [^ ]+$/, ''),
    '# Page\n[a](./core.md#issuers) [b](./index.md) [c](./documentation.md) ![d](./images/architecture.svg)',
  )
  t.match(readFileSync(join(folder, 'images/architecture.svg'), 'utf8'), '<svg')
  for (const { name } of listPages()) {
    for (const target of listTargets(readFileSync(join(folder, `${name}.md`), 'utf8'))) {
      t.match(target, /^(?:#|\.\/[^/]|https?:)/, `${name}: ${target}`)
    }
  }
})

t.test('a link to another file leads to the repository, once that has an address', async (t) => {
  const text = '[e](../biome.json#L1)'
  const page: Page = { source: 'docs/page.md', name: 'page', title: 'Page', text }
  const folder = t.testdir()
  const written = (repository?: string) => {
    writePages([page], folder, repository)
    return readFileSync(join(folder, 'page.md'), 'utf8')
  }
  const { repository } = JSON.parse(readFileSync('package.json', 'utf8')) as { repository?: object }
  if (repository === undefined) t.equal(written(), 'e')
  t.equal(
    written('https://git.example/a/b'),
    '[e](https://git.example/a/b/blob/main/biome.json#L1)',
  )
})

t.test('a link to a missing file stops the build', async (t) => {
  const page: Page = { source: 'docs/a.md', name: 'a', title: 'A', text: '[x](../missing.ts)' }
  t.throws(() => writePages([page], t.testdir()), {
    message: 'docs/a.md: no file ../missing.ts',
  })
})

t.test('braces and tags of prose are text; tags that GitHub shows stay', async (t) => {
  const escapeHtml = (text: string) => text.replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  const rules: MarkdownIt['renderer']['rules'] = {}
  configureMarkdown({ utils: { escapeHtml }, renderer: { rules } })
  const render = (rule: string, content: string) => rules[rule]?.([{ content }], 0)
  t.equal(render('text', '{{resolve:ssm:a}} <'), '&#123;&#123;resolve:ssm:a}} &lt;')
  t.equal(render('code_inline', '{{a}}<b>'), '<code v-pre>{{a}}&lt;b&gt;</code>')
  t.equal(render('html_inline', '<client-id>'), '&lt;client-id&gt;')
  t.equal(render('html_inline', '<br>'), '<br>')
  t.equal(render('html_block', '<scope>\n{{x}}\n'), '&lt;scope&gt;\n&#123;&#123;x}}\n')
  t.equal(render('html_block', '<details>\n'), '<details>\n')
  t.equal(render('html_block', '<!-- note -->\n'), '<!-- note -->\n')
})
