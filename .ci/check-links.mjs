/**
 * `npm run check:links`: every relative link and anchor of README and docs leads to a file and a heading.
 *
 * Without arguments it checks the repository. `--package FOLDER` checks an unpacked tarball, `--site FOLDER` a built site.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { checkMarkdown, checkSite, listDocuments } from './links.mjs'

const options = { package: { type: 'string' }, site: { type: 'string' }, base: { type: 'string' } }
const { values } = parseArgs({ options })

function check() {
  if (values.site !== undefined) return checkSite(values.site, values.base)
  const root = values.package ?? join(import.meta.dirname, '..')
  return checkMarkdown(root, listDocuments(root))
}

const { count, broken } = check()
for (const line of broken) process.stderr.write(`${line}\n`)
if (broken.length > 0)
  throw new Error(`check-links: ${broken.length} of ${count} links lead nowhere`)
if (count === 0) throw new Error('check-links: expected links, found none')
process.stdout.write(`${count} relative links lead to a file and a heading\n`)
