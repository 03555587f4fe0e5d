/**
 * Remembers of Express 4 and 5 what their routers forget: under which path something is mounted, which app
 * a mounted one is, and where a handler was declared.
 */
import { METHODS } from 'node:http'
import type { AppRoute, Position } from '../../contract/infra/index.ts'
import { getRequirement, type RequirementSummary } from '../../core/introspection.ts'
import { InspectionFailure } from './format-error.ts'
import { type AppRoutes, combineRequirements } from './inspection.ts'
import { fillParameters, joinPaths, normalizePaths } from './paths.ts'
import { getCallerPosition } from './stack.ts'

/** A router mounted in itself would never end. */
const MAX_DEPTH = 20
/** What parameters are tried with: most take the first, some only digits. */
const SAMPLE_VALUES = ['x', '1', '00000000-0000-4000-8000-000000000000']

interface Handler {
  /** As routes have it. */
  readonly name: string
  /** A method that it answers, lower case; undefined where it answers whatever comes. */
  readonly method: string | undefined
  readonly handler: Step
}

interface DeclaredHandler extends Handler {
  readonly path: string
}

/** Reads a router as Express runs it: in order, by its own matching of paths. */
export function readExpressRoutes(
  app: ExpressApp,
  watch: ExpressWatch,
  fallback: Position,
): AppRoutes {
  const stack = getLayers(app)
  const reader = new RouteReader(watch)
  const routes = [...reader.listDeclared(stack, [''], 0)].map((declared): AppRoute => {
    const { name, path, handler } = declared
    const auth = combineRequirements(reader.collectRequirements(stack, declared))
    return { method: name, path, auth, at: watch.getPosition(handler) ?? fallback }
  })
  return { routes, hasGuard: reader.hasGuard }
}

class RouteReader {
  hasGuard = false
  readonly #watch: ExpressWatch

  constructor(watch: ExpressWatch) {
    this.#watch = watch
  }

  *listDeclared(
    stack: readonly Layer[],
    prefixes: readonly string[],
    depth: number,
  ): Generator<DeclaredHandler> {
    for (const layer of stack) {
      const { route } = layer
      if (route !== undefined) {
        const paths = joinPatterns(prefixes, route.path)
        for (const it of this.#listHandlers(route.stack)) {
          for (const path of paths) yield { ...it, path }
        }
        continue
      }
      this.#getRequirement(layer)
      const mounted = this.#findMountedStack(layer)
      if (mounted === undefined || depth === MAX_DEPTH) continue
      yield* this.listDeclared(mounted.stack, joinPatterns(prefixes, mounted.path), depth + 1)
    }
  }

  /** What every request to a route has to meet. */
  collectRequirements(
    stack: readonly Layer[],
    declared: DeclaredHandler,
  ): readonly RequirementSummary[] {
    for (const value of SAMPLE_VALUES) {
      const path = fillParameters(declared.path, value)
      const walk = this.#walk(stack, { ...declared, path }, 0)
      if (walk.isFound) return walk.requirements
    }
    // A path nobody can think of: only what stands in front of everything counts.
    return this.#walk(stack, { ...declared, path: undefined }, 0).requirements
  }

  /** Which step answers for each method: the last that is no guard. */
  #listHandlers(steps: readonly Step[]): readonly Handler[] {
    const methods = [...new Set(steps.map(({ method }) => method))]
    // Express 4 has `all` as every method there is.
    const isAll = methods.filter((method) => method !== undefined).length === METHODS.length
    return (isAll ? ['get'] : methods).flatMap((method) => {
      const own = steps.filter((step) => step.method === undefined || step.method === method)
      const handler = own.findLast((step) => this.#getRequirement(step) === undefined)
      const name = isAll || method === undefined ? 'ANY' : method.toUpperCase()
      return handler === undefined ? [] : [{ name, method, handler }]
    })
  }

  #walk(stack: readonly Layer[], request: WalkRequest, depth: number): WalkResult {
    const requirements: RequirementSummary[] = []
    for (const layer of stack) {
      const rest = getRemainingPath(layer, request.path, this.#isEverywhere(layer))
      if (rest === false || depth > MAX_DEPTH) continue
      const { isFound, requirements: found } = this.#walkLayer(
        layer,
        { ...request, path: rest },
        depth,
      )
      if (isFound) return { isFound, requirements: [...requirements, ...found] }
      // Without a path only what is certainly met counts.
      if (request.path !== undefined || this.#isEverywhere(layer)) requirements.push(...found)
    }
    return { isFound: false, requirements }
  }

  /** Through one layer, unless the request ends there. */
  #walkLayer(layer: Layer, request: WalkRequest, depth: number): WalkResult {
    const { route } = layer
    const mounted = this.#findMountedStack(layer)
    if (mounted !== undefined) return this.#walk(mounted.stack, request, depth + 1)
    const requirements: RequirementSummary[] = []
    for (const step of route?.stack ?? [layer as Step]) {
      if (step.method !== undefined && step.method !== request.method) continue
      if (step === request.handler) return { isFound: true, requirements }
      const requirement = this.#getRequirement(step)
      if (requirement !== undefined) requirements.push(requirement)
    }
    return { isFound: false, requirements }
  }

  #getRequirement({ handle }: Pick<Step, 'handle'>): RequirementSummary | undefined {
    const requirement = getRequirement(handle)
    this.hasGuard ||= requirement !== undefined
    return requirement
  }

  #isEverywhere(layer: Layer): boolean {
    return layer.route === undefined && this.#watch.getMount(layer)?.path === '/'
  }

  /** The router or app behind a layer; undefined where it is a handler or a route. */
  #findMountedStack(
    layer: Layer,
  ): { readonly path: unknown; readonly stack: readonly Layer[] } | undefined {
    const { handle } = layer
    const mount = this.#watch.getMount(layer)
    const app = isExpressApp(handle) ? handle : mount?.app
    const stack = app === undefined ? handle.stack : getLayers(app)
    if (mount !== undefined) return stack && { path: mount.path, stack }
    if (stack === undefined && handle.name !== 'mounted_app') return undefined
    throw new InspectionFailure(
      'something is mounted and Express does not tell where: pass the module as it is, not bundled with Express',
    )
  }
}

interface WalkRequest extends Handler {
  /** Undefined where no sample of it is known. */
  readonly path: string | undefined
}

interface WalkResult {
  readonly isFound: boolean
  readonly requirements: readonly RequirementSummary[]
}

function joinPatterns(prefixes: readonly string[], pattern: unknown): readonly string[] {
  return prefixes.flatMap((prefix) =>
    normalizePaths(pattern).map((path) => joinPaths(prefix, path)),
  )
}

/** What a layer leaves of a path for what is below it; false where the request passes it by. */
function getRemainingPath(
  layer: Layer,
  path: string | undefined,
  everywhere: boolean,
): string | undefined | false {
  if (path === undefined || everywhere) return path
  const match = layer.match(path)
  if (match === false) return false
  if (layer.route !== undefined) return path
  const { path: matched = '' } = match === true ? layer : match
  const rest = path.slice(matched.length)
  const isPrefix = path.startsWith(matched) && (rest === '' || rest.startsWith('/'))
  return isPrefix && (rest === '' ? '/' : rest)
}

type Handle = ((...args: never[]) => unknown) & { readonly stack?: readonly Layer[] }

/** What a route runs, in order. */
export interface Step {
  readonly handle: Handle
  /** Lower case; undefined for every method. */
  readonly method?: string
}

interface Layer {
  readonly handle: Handle
  readonly route?: { readonly path: unknown; readonly stack: readonly Step[] }
  /** In Express 4 what matched last. */
  readonly path?: string
  /** Whether a path matches; newer routers say which part of it. */
  match(path: string): boolean | { readonly path: string }
}

interface Router {
  readonly stack: readonly Layer[]
}

/** The part of an app that 4 and 5 have in common, and what tells them apart. */
export interface ExpressApp {
  (...args: never[]): unknown
  readonly handle: unknown
  readonly set: unknown
  /** The app this one is mounted in. */
  readonly parent?: ExpressApp
  readonly lazyrouter?: unknown
  readonly _router?: Router
  readonly router: Router
}

interface Mount {
  readonly path: unknown
  readonly app?: ExpressApp | undefined
}

interface Express {
  readonly application: object
  readonly Router: { readonly prototype?: object }
  readonly Route: { readonly prototype: object }
}

export function isExpressApp(value: unknown): value is ExpressApp {
  if (typeof value !== 'function') return false
  return ['handle', 'use', 'route', 'set'].every(
    (name) => typeof (value as unknown as Record<string, unknown>)[name] === 'function',
  )
}

/** The layers of an app; none where it has no router yet. */
function getLayers(app: ExpressApp): readonly Layer[] {
  // Reading `router` throws in Express 4.
  return (app.lazyrouter === undefined ? app.router : app._router)?.stack ?? []
}

/** See the module. */
export class ExpressWatch {
  /** In the order they were made. */
  readonly apps: Set<ExpressApp> = new Set()
  readonly #mounts = new WeakMap<Layer, Mount>()
  readonly #positions = new WeakMap<Step, Position | undefined>()
  readonly #watchedModules = new WeakSet<object>()

  getMount(layer: Layer): Mount | undefined {
    return this.#mounts.get(layer)
  }

  getPosition(step: Step): Position | undefined {
    return this.#positions.get(step)
  }

  /** Watches what a module exports, if that is Express. Anything else is left alone. */
  watch(exported: unknown): void {
    if (!isExpress(exported) || this.#watchedModules.has(exported)) return
    this.#watchedModules.add(exported)
    const { application, Router, Route } = exported
    wrapMethod<ExpressApp>(application, 'init', (app, _args, call) => {
      this.apps.add(app)
      return call()
    })
    wrapMethod<ExpressApp>(application, 'use', (app, args, call) => this.#use(app, args, call))
    const { prototype = {} } = Router
    // Express 4 has no prototype beside the function itself.
    wrapMethod<Router>('use' in prototype ? prototype : Router, 'use', ({ stack }, args, call) => {
      const { length } = stack
      const result = call()
      for (const layer of stack.slice(length)) this.#mounts.set(layer, { path: getMountPath(args) })
      return result
    })
    for (const name of [...METHODS.map((method) => method.toLowerCase()), 'all']) {
      wrapMethod<{ readonly stack: readonly Step[] }>(
        Route.prototype,
        name,
        ({ stack }, _, call) => {
          const { length } = stack
          const result = call()
          const place = getCallerPosition()
          for (const step of stack.slice(length)) this.#positions.set(step, place)
          return result
        },
      )
    }
  }

  /** A mounted app hides in a function: one such layer for each, in their order. */
  #use(app: ExpressApp, args: readonly unknown[], call: () => unknown): unknown {
    const { length } = getLayers(app)
    const result = call()
    const mounted = getLayers(app)
      .slice(length)
      .filter(({ handle }) => handle.name === 'mounted_app')
    const apps = args.flat(Infinity).filter(isExpressApp)
    for (const [index, layer] of mounted.entries()) {
      this.#mounts.set(layer, { path: getMountPath(args), app: apps[index] })
    }
    return result
  }
}

function isExpress(value: unknown): value is Express & object {
  if (typeof value !== 'function') return false
  const { application, Router, Route } = value as unknown as Record<string, unknown>
  return (
    typeof application === 'object' &&
    application !== null &&
    'init' in application &&
    typeof Router === 'function' &&
    typeof Route === 'function'
  )
}

/** As Express tells a path from a handler: by the first of what may be nested arrays. */
function getMountPath(args: readonly unknown[]): unknown {
  return typeof [args[0]].flat(Infinity)[0] === 'function' ? '/' : args[0]
}

/** Runs `inner` in place of a method; `call` is the method with its own `this` and arguments. */
function wrapMethod<This extends object>(
  target: object,
  name: string,
  inner: (it: This, args: readonly unknown[], call: () => unknown) => unknown,
): void {
  const members = target as Record<string, (...args: unknown[]) => unknown>
  const method = members[name] as (...args: unknown[]) => unknown
  members[name] = function (this: This, ...args: unknown[]) {
    return inner(this, args, () => method.apply(this, args))
  }
}
