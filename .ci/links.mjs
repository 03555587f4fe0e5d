/** Finds relative links and anchors that lead nowhere: in Markdown files of a folder, and in the pages of the built site. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { isRelative, listAnchors, listTargets } from './markdown.mjs'

const isInside = (root, path) => !relative(root, path).startsWith('..')

function createAnchorIndex(list) {
  const known = new Map()
  return (file) => {
    if (!known.has(file)) known.set(file, new Set(list(readFileSync(file, 'utf8'))))
    return known.get(file)
  }
}

/**
 * Checks Markdown files.
 *
 * @param root The folder that has everything a link may lead to: the repository, or the unpacked package.
 * @param files Paths relative to the root.
 * @returns The number of relative links, and a line for each broken one.
 */
export function checkMarkdown(root, files) {
  const anchorsOf = createAnchorIndex(listAnchors)
  const broken = []
  let count = 0
  for (const file of files) {
    for (const link of listTargets(readFileSync(join(root, file), 'utf8')).filter(isRelative)) {
      const [path, anchor] = decodeURI(link).split('#')
      const target = path === '' ? join(root, file) : join(root, dirname(file), path)
      count += 1
      if (!isInside(root, target) || !existsSync(target)) broken.push(`${file}: no file ${link}`)
      else if (anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).has(anchor)) {
        broken.push(`${file}: no heading ${link}`)
      }
    }
  }
  return { count, broken }
}

/**
 * Lists the Markdown files that the repository publishes.
 *
 * @param root The repository, or the unpacked package: that has no files for contributors to lead to.
 */
export function listDocuments(root) {
  const docs = readdirSync(join(root, 'docs'), { recursive: true })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name))
  const files = ['README.md', 'ARCHITECTURE.md', 'SECURITY.md', 'CHANGELOG.md', ...docs.sort()]
  const isRepository = existsSync(join(root, '.ci'))
  return isRepository ? [...files, 'CONTRIBUTING.md', 'bench/README.md'] : files
}

const ATTRIBUTES = /\s(?:href|src)="([^"]+)"/g
const listIds = (html) => [...html.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => decode(id))
const decode = (text) =>
  decodeURI(text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&amp;', '&'))

/**
 * Checks the HTML pages of a built site.
 *
 * @param folder The folder that is served.
 * @param base The path under which it is served, with a slash at both ends.
 */
export function checkSite(folder, base = '/') {
  const anchorsOf = createAnchorIndex(listIds)
  const pages = readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.html'))
    .sort()
  const broken = []
  let count = 0
  for (const page of pages) {
    const html = readFileSync(join(folder, page), 'utf8')
    for (const link of new Set([...html.matchAll(ATTRIBUTES)].map(([, target]) => target))) {
      if (!isRelative(link)) continue
      const [path, anchor] = decode(link).split('#')
      const target = findServed(folder, { page, path, base })
      count += 1
      if (target === undefined) broken.push(`${page}: no file ${link}`)
      else if (anchor && target.endsWith('.html') && !anchorsOf(target).has(anchor)) {
        broken.push(`${page}: no heading ${link}`)
      }
    }
  }
  return { count, broken }
}

function findServed(folder, { page, path, base }) {
  if (path === '') return join(folder, page)
  if (path.startsWith('/') && !path.startsWith(base)) return undefined
  const target = path.startsWith('/')
    ? join(folder, path.slice(base.length))
    : join(folder, dirname(page), path)
  return [target, join(target, 'index.html')].find((it) => existsSync(it) && statSync(it).isFile())
}
