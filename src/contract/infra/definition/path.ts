/** Converts paths of web frameworks to paths of API Gateway. */
import { describeValue, OptionError } from '../../../core/options/validate.ts'

/** A last part that matches the rest of a path: `*`, `*rest`, `{rest+}`. */
const REST = /^(?:\*\w*|\{[^{}]+\+\})$/
/** `:id`, `:id(\d+)`, `{id}`. Optional parts (`:id?`) are not supported, because they are two paths. */
const PARAMETER = /^:(\w+)(?!.*\?$)|^\{([\w.-]+)\}$/
const LITERAL = /^[\w.-]+$/

/**
 * Creates a converter for the paths of one API: `/orders/:id` becomes `/orders/{id}`, `/files/*` becomes
 * `/files/{proxy+}`. Parameters in the same place get the name of the first one, because API Gateway allows one name.
 */
export function createPathConverter(
  kind: 'rest' | 'http',
): (path: string, optionPath: string) => string {
  const names = new Map<string, string>()
  const toPart = (part: string, last: boolean, before: string, optionPath: string): string => {
    if (LITERAL.test(part)) return part
    const [, colon, braces] = PARAMETER.exec(part) ?? []
    const name = last && REST.test(part) ? 'proxy+' : (colon ?? braces)
    if (name === undefined) {
      const parts = 'parts of letters, digits and "._-", {name}, or {name+} at the end'
      const problem = `expected ${parts}, got ${describeValue(part)}. Rewrite this part of the path.`
      throw new OptionError(optionPath, problem)
    }
    // HTTP APIs allow {name} and {name+} in the same place.
    const key = kind === 'rest' || name !== 'proxy+' ? before : `${before}/*`
    const first = names.get(key) ?? name
    if ((first === 'proxy+') !== (name === 'proxy+')) {
      const problem = `expected {${first}} as in another path of this REST API, got {${name}}. Rewrite one of the paths.`
      throw new OptionError(optionPath, problem)
    }
    names.set(key, first)
    return `{${first}}`
  }
  return (path, optionPath) => {
    const parts = path.split('/').filter((part) => part !== '')
    let converted = ''
    for (const [index, part] of parts.entries()) {
      const next = toPart(part, index === parts.length - 1, converted, optionPath)
      converted = `${converted}/${next}`
    }
    return converted === '' ? '/' : converted
  }
}

/** Lists every path that needs a resource in a REST API, parents first, without the root. */
export function listRestPaths(routed: readonly string[]): readonly string[] {
  const paths = new Set<string>()
  for (const path of routed) {
    const parts = path.split('/').filter((part) => part !== '')
    for (const end of parts.keys()) paths.add(`/${parts.slice(0, end + 1).join('/')}`)
  }
  return [...paths]
}

/** Lists the parameters of a path. An integration maps each of them. */
export const listPathParameters = (path: string): readonly string[] =>
  [...path.matchAll(/\{([^{}+]+)\+?\}/g)].map(([, name]) => name as string)

/** Converts a path to the syntax of integration URIs. */
export const toBackendPath = (path: string): string => path.replaceAll('+}', '}')
