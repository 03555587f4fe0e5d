/** Paths of Fastify and Express as tools compare them: parameters as `:name`, the rest as `*`. */

/** Optional parts double the number of paths; nobody means more. */
const MAX_PATHS = 16

/**
 * The paths that a pattern stands for. A pattern that is a regular expression may stand for any.
 *
 * @param pattern A string, a regular expression, or an array of them, as Express takes it.
 */
export function normalizePaths(pattern: unknown): readonly string[] {
  if (Array.isArray(pattern)) return pattern.flat(Infinity).flatMap((it) => normalizePaths(it))
  if (typeof pattern !== 'string') return ['/*']
  return [...new Set(expandOptionalParts(pattern).map(normalizePath))]
}

/** With and without each optional part: `{/:id}` in Express 5, `/:id?` in Express 4 and Fastify. */
function expandOptionalParts(pattern: string): readonly string[] {
  let found = [pattern]
  while (found.length < MAX_PATHS) {
    const index = found.findIndex((it) => OPTIONAL_PART.test(it))
    const one = found[index]
    if (one === undefined) break
    found = [...found.slice(0, index), ...found.slice(index + 1)]
    found.push(one.replace(OPTIONAL_PART, '$1$2'), one.replace(OPTIONAL_PART, ''))
  }
  return found
}

const OPTIONAL_PART = /\{([^{}]*)\}|(\/:\w+(?:\((?:[^()]|\([^()]*\))*\))?)\?/

function normalizePath(path: string): string {
  const text = path
    // What a parameter may look like.
    .replace(/(:\w+)\((?:[^()]|\([^()]*\))*\)/g, '$1')
    // Several parts: `:name*` and `:name+` in Express 4, `*name` in Express 5.
    .replace(/:\w+[*+]|\*\w*/g, '*')
    .replace(/\\(.)/g, '$1')
  return joinPaths('', text)
}

/** One slash at its beginning, and one between its parts. */
export function joinPaths(prefix: string, path: string): string {
  return `/${prefix}/${path}`.replaceAll(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '')
}

/** A request's path that a plain path admits, each parameter filled with `value`. */
export function fillParameters(path: string, value: string): string {
  return path.replace(/:\w+|\*/g, value)
}
