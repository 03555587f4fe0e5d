/** A path as an app's framework writes it → as API Gateway does. */
import { describeValue, OptionError } from '../../../core/options/validate.ts'

/** The last part, and all that follows: `*`, `*rest`, `{rest+}`. */
const REST = /^(?:\*\w*|\{[^{}]+\+\})$/
/** `:id`, `:id(\d+)`, `{id}`; a part that may be missing is two paths. */
const PARAMETER = /^:(\w+)(?!.*\?$)|^\{([\w.-]+)\}$/
const LITERAL = /^[\w.-]+$/

/**
 * Gives paths of one API: `/orders/:id` becomes `/orders/{id}`, `/files/*` becomes `/files/{proxy+}`. The
 * parameters of one place have one name, the first: API Gateway takes no second.
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
      const problem = `expected ${parts}, got ${describeValue(part)}. Change the path.`
      throw new OptionError(optionPath, problem)
    }
    // HTTP APIs take both beside each other.
    const key = kind === 'rest' || name !== 'proxy+' ? before : `${before}/*`
    const first = names.get(key) ?? name
    if ((first === 'proxy+') !== (name === 'proxy+')) {
      const problem = `expected {${first}}, as another path of this REST API has it, got {${name}}. Change one of the paths.`
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

/** Every path that a route of a REST API needs, parents first, but for the root. */
export function listRestPaths(routed: readonly string[]): readonly string[] {
  const paths = new Set<string>()
  for (const path of routed) {
    const parts = path.split('/').filter((part) => part !== '')
    for (const end of parts.keys()) paths.add(`/${parts.slice(0, end + 1).join('/')}`)
  }
  return [...paths]
}

/** The parameters of a path, which an integration is handed one by one. */
export const listPathParameters = (path: string): readonly string[] =>
  [...path.matchAll(/\{([^{}+]+)\+?\}/g)].map(([, name]) => name as string)

/** A path as an integration writes it. */
export const toBackendPath = (path: string): string => path.replaceAll('+}', '}')
