/** Which route of a gateway a request to an app's route comes through. */
import type { InfraRoute } from './model.ts'

interface Routed {
  readonly method: string
  readonly path: string
}

/** `:id`, `{id}` and `*` name no part in particular; `{proxy+}` and `*` at the end take the rest. */
const parts = (path: string): string[] =>
  path
    .split('/')
    .filter((part) => part !== '')
    .map((part) => {
      if (/^\{[^}]*\+\}$|^\*$/.test(part)) return '**'
      return /^(?::.*|\{[^}]*\})$/.test(part) ? '*' : part
    })

/** How closely a gateway's path fits: -1 not at all, else the more the closer. */
function closeness(gateway: readonly string[], app: readonly string[]): number {
  let score = 0
  for (const [index, part] of gateway.entries()) {
    const own = app[index]
    if (part === '**') return own === undefined ? -1 : score
    if (own === undefined || own === '**') return -1
    if (part === own) score += part === '*' ? 2 : 4
    else if (part === '*') score += 2
    else return -1
  }
  return gateway.length === app.length ? score + 1 : -1
}

/**
 * The closest route of a gateway, a method of its own before `ANY`. Undefined where none fits, where it
 * cannot be told, and where two APIs have one that fits.
 */
export function gatewayRoute(
  routes: readonly InfraRoute[],
  { method, path }: Routed,
): InfraRoute | undefined {
  // A route that is not known might be the one.
  if (
    routes.some((route) => route.path?.value === undefined || route.method?.value === undefined)
  ) {
    return undefined
  }
  const app = parts(path)
  let best = -1
  let found: InfraRoute[] = []
  for (const route of routes) {
    const own = route.method?.value as string
    if (own !== method && own !== 'ANY') continue
    const fit = closeness(parts(route.path?.value as string), app)
    const score = fit < 0 ? -1 : fit * 2 + (own === method ? 1 : 0)
    if (score > best) {
      best = score
      found = [route]
    } else if (score === best && score >= 0) found.push(route)
  }
  return found.length === 1 ? found[0] : undefined
}
