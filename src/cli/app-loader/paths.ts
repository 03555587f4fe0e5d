/** Normalizes paths of Fastify and Express for comparison: parameters as `:name`, wildcards as `*`. */

/** Limit of paths per pattern, because each optional part doubles the number. */
const MAX_PATHS = 16

/**
 * Lists the paths of a pattern. A regular expression may match every path, so it becomes `/*`.
 *
 * @param pattern A string, a regular expression, or an array of them, as in Express.
 */
export function normalizePaths(pattern: unknown): readonly string[] {
  if (Array.isArray(pattern)) return pattern.flat(Infinity).flatMap((it) => normalizePaths(it))
  if (typeof pattern !== 'string') return ['/*']
  return [...new Set(expandOptionalParts(pattern).map(normalizePath))]
}

/** Lists the pattern with and without each optional part: `{/:id}` in Express 5, `/:id?` in Express 4 and Fastify. */
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
    // Removes the pattern of a parameter.
    .replace(/(:\w+)\((?:[^()]|\([^()]*\))*\)/g, '$1')
    // Several parts: `:name*` and `:name+` in Express 4, `*name` in Express 5.
    .replace(/:\w+[*+]|\*\w*/g, '*')
    .replace(/\\(.)/g, '$1')
  return joinPaths('', text)
}

/** Joins paths with single slashes. */
export function joinPaths(prefix: string, path: string): string {
  return `/${prefix}/${path}`.replaceAll(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '')
}

/** Creates a request path: replaces each parameter with `value`. */
export function fillParameters(path: string, value: string): string {
  return path.replace(/:\w+|\*/g, value)
}
