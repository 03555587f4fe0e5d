/** llms.txt, llms-full.txt and the Markdown of each page, for language models: https://llmstxt.org. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Writes the files into the built site.
 *
 * @param groups Groups of pages, each page with its name and title.
 * @param from The folder with the Markdown of the pages.
 * @param to The folder of the built site.
 */
export function writeLlmsFiles({ name, description, groups }, from, to) {
  const texts = []
  const sections = groups.map(({ title, pages }) => {
    const lines = pages.map((page) => {
      const text = readFileSync(join(from, `${page.name}.md`), 'utf8')
      mkdirSync(dirname(join(to, page.name)), { recursive: true })
      writeFileSync(join(to, `${page.name}.md`), text)
      texts.push(text.trim())
      return `- [${page.title}](${page.name}.md)`
    })
    return `## ${title}\n\n${lines.join('\n')}\n`
  })
  writeFileSync(join(to, 'llms.txt'), `# ${name}\n\n> ${description}\n\n${sections.join('\n')}`)
  writeFileSync(join(to, 'llms-full.txt'), `${texts.join('\n\n---\n\n')}\n`)
}
