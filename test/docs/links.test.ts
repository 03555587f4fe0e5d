/** Links of documents: what counts as a link, anchors as GitHub derives them, and broken links in each place. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { checkMarkdown, checkSite, listDocuments } from '../../.ci/links.mjs'
import { listAnchors, listHeadings, listTargets, replaceTargets } from '../../.ci/markdown.mjs'

function writeFiles(t: Test, files: Readonly<Record<string, string>>): string {
  const root = t.testdir()
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text)
  }
  return root
}

t.test('every link within the repository leads to a file and a heading', async (t) => {
  const documents = listDocuments('.')
  t.ok(documents.includes('docs/README.md'))
  t.ok(documents.includes('CONTRIBUTING.md'))
  const { count, broken } = checkMarkdown('.', documents)
  t.strictSame(broken, [])
  t.ok(count > 100)
})

t.test('links, images, definitions and attributes are links; code is not', async (t) => {
  const text = [
    '[a](a.md) ![b](b.png "title") [`c`](c.md#c)',
    '[d]: d.md',
    '<img src="e.png"> <source srcset="f.png">',
    '`[x](x.md)` ``[x](`x.md)`` and `two',
    'lines [x](x.md)`',
    '```md',
    '[x](x.md)',
    '~~~',
    '```',
    '~~~',
    '[x](x.md)',
    '~~~',
    'a lone ` backtick',
    '',
    '[g](g.md) `',
  ].join('\n')
  t.strictSame(listTargets(text).sort(), [
    ...['a.md', 'b.png', 'c.md#c', 'd.md', 'e.png', 'f.png', 'g.md'],
  ])
})

t.test('anchors are those of GitHub', async (t) => {
  const text = [
    '# Command line: `cognito-m2m`',
    '## A [link](x.md), **bold** & more',
    '## Same',
    '## Same ##',
    '```',
    '# no heading',
    '```',
    '<a id="own"></a>',
  ].join('\n')
  t.strictSame(listAnchors(text), [
    ...['command-line-cognito-m2m', 'a-link-bold--more', 'same', 'same-1', 'own'],
  ])
  t.strictSame(
    listHeadings(text).map(({ level, text }) => `${level} ${text}`),
    ['1 Command line: cognito-m2m', '2 A link, bold & more', '2 Same', '2 Same'],
  )
})

t.test('targets are replaced in prose; a link without a target keeps its text', async (t) => {
  const replaced = replaceTargets(
    'See [`one` and\ntwo](../a.ts), [b](b.md#c), [c](https://example.com) and `[d](b.md)`.\n',
    (target: string) => (target.endsWith('.ts') ? undefined : `./${target}`),
  )
  t.equal(
    replaced,
    'See `one` and\ntwo, [b](./b.md#c), [c](https://example.com) and `[d](b.md)`.\n',
  )
})

t.test('a missing file, a missing heading and a file outside are reported', async (t) => {
  const root = writeFiles(t, {
    'package/README.md': '[a](docs/a.md) [b](docs/a.md#one) [c](#here) [d](docs)\n# Here\n',
    'package/docs/a.md': '[e](missing.md) [f](../README.md#there) [g](../../outside.md)\n# One\n',
    'outside.md': '',
  })
  const files = ['README.md', 'docs/a.md']
  t.strictSame(checkMarkdown(join(root, 'package'), files), {
    count: 7,
    broken: [
      'docs/a.md: no file missing.md',
      'docs/a.md: no heading ../README.md#there',
      'docs/a.md: no file ../../outside.md',
    ],
  })
})

t.test('pages of a site are checked under the path that serves them', async (t) => {
  const root = writeFiles(t, {
    'index.html':
      '<h1 id="top">x</h1><a href="/base/a.html#one">1</a><a href="./a.html#two">2</a><a href="#top">3</a><a href="/base/api/">4</a>',
    'a.html':
      '<h2 id="one">x</h2><img src="/base/none.png"><a href="/a.html">5</a><a href="mailto:x">6</a>',
    'api/index.html': '<a href="../index.html#top">7</a>',
  })
  t.strictSame(checkSite(root, '/base/'), {
    count: 7,
    broken: [
      'a.html: no file /base/none.png',
      'a.html: no file /a.html',
      'index.html: no heading ./a.html#two',
    ],
  })
})
