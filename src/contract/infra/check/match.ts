/** Which route of a gateway a request to an app's route comes through. */
import type { ReadRoute } from '../app/route.ts'
import type { InfraModel, InfraRoute } from '../model/model.ts'

/** The routes of one API. */
export interface Gateway {
  readonly model: InfraModel
  readonly routes: readonly { readonly route: InfraRoute; readonly parts: readonly string[] }[]
  /** Whether it has routes whose method or path is not known. */
  readonly hidden: boolean
}

type Parts = readonly string[]

/** Names no part in particular. */
const ANY = '*'
/** Takes every part that is left. */
const REST = '**'

const isParameter = (part: string): boolean => /^(?::\w+|\{[\w.-]+\})$/.test(part)
const isRest = (part: string): boolean => /^(?:\*\w*|\{[\w.-]+\+\}|\{\*\w+\})$/.test(part)
/** What frameworks take for more than a name. */
const isUnclear = (part: string): boolean => /[{}()*?+:|\\]/.test(part)

/** Undefined where a part is not all name and not all parameter: what it matches cannot be told. */
function partsOf(path: string): Parts | undefined {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map((part) => (isRest(part) ? REST : isParameter(part) ? ANY : part))
  return parts.some((part) => part !== ANY && part !== REST && isUnclear(part)) ? undefined : parts
}

/** How closely a gateway's path fits: -1 not at all, else the more the closer. */
function closeness(gateway: Parts, app: Parts): number {
  let score = 0
  for (const [index, part] of gateway.entries()) {
    const own = app[index]
    if (part === REST) return own === undefined ? -1 : score
    if (own === undefined || own === REST) return -1
    if (part === own) score += part === ANY ? 2 : 4
    else if (part === ANY) score += 2
    else return -1
  }
  return gateway.length === app.length ? score + 1 : -1
}

interface Fit {
  /** Whether none could be closer. */
  readonly exact: boolean
  readonly routes: readonly InfraRoute[]
}

/** The routes of the closest path; a method of its own goes before `ANY`. */
function bestFit({ routes }: Gateway, method: string, app: Parts): Fit {
  let close = 0
  let fits: Gateway['routes'] = []
  for (const one of routes) {
    const own = closeness(one.parts, app)
    if (own === close) fits = [...fits, one]
    else if (own > close) [close, fits] = [own, [one]]
  }
  const called = (name: string) => fits.filter(({ route }) => route.method?.value === name)
  const named = called(method)
  // A REST API looks for the path first: where that one has no such method, no other path is asked.
  const found = named.length > 0 ? named : called('ANY')
  return {
    exact: named.length > 0 && fits.some(({ parts }) => parts.join('/') === app.join('/')),
    routes: found.map(({ route }) => route),
  }
}

/** The path as it is written, and without what a domain's mapping may take off its front. */
function readings({ path, basePath }: ReadRoute): readonly Parts[] {
  const all = [path, ...(basePath === '' ? [] : [path.slice(basePath.length)])]
  return all.map(partsOf).filter((parts) => parts !== undefined)
}

/** One text for each reading of a route: routes that share one serve the same requests. */
export const shapesOf = (route: ReadRoute): readonly string[] =>
  readings(route).map((parts) => [route.method, ...parts].join('/'))

/**
 * The API that these routes are behind: the only one that any of them fits, or may fit. Where several do,
 * it cannot be told.
 */
export function gatewayOf(
  models: readonly InfraModel[],
  routes: readonly ReadRoute[],
): Gateway | undefined {
  const gateways = models
    .flatMap(gatewaysOf)
    .filter(
      (gateway) =>
        gateway.hidden ||
        routes.some((route) =>
          readings(route).some((parts) => bestFit(gateway, route.method, parts).routes.length > 0),
        ),
    )
  return gateways.length === 1 ? gateways[0] : undefined
}

function gatewaysOf(model: InfraModel): readonly Gateway[] {
  const apis = new Set(model.routes.map(({ api }) => api))
  return [...apis].map((api) => {
    const own = model.routes.filter((route) => route.api === api)
    const routes = own.flatMap((route) => {
      const parts = route.path?.value === undefined ? undefined : partsOf(route.path.value)
      return parts === undefined || route.method?.value === undefined ? [] : [{ route, parts }]
    })
    return { model, routes, hidden: routes.length < own.length }
  })
}

/** The route that requests come through. Undefined where there is none, or it cannot be told. */
export function gatewayRoute(gateway: Gateway, app: ReadRoute): InfraRoute | undefined {
  const fits = readings(app)
    .map((parts) => bestFit(gateway, app.method, parts))
    .filter(({ routes }) => routes.length > 0)
  const found = new Set(fits.flatMap(({ routes }) => routes))
  const [route] = found
  if (route === undefined || found.size > 1 || route.conditional) return undefined
  // One that is not known may be closer, unless none can be.
  const open = gateway.hidden || !gateway.model.complete
  return open && !fits.some(({ exact }) => exact) ? undefined : route
}
