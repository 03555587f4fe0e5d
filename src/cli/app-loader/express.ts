/**
 * Records facts that routers of Express 4 and 5 do not store: mount paths, mounted apps, and positions of
 * handlers.
 */
import { METHODS } from 'node:http'
import type { AppRoute, Position } from '../../contract/infra/index.ts'
import { getRequirement, type RequirementSummary } from '../../core/introspection.ts'
import { InspectionFailure } from './format-error.ts'
import { type AppRoutes, combineRequirements } from './inspection.ts'
import { fillParameters, joinPaths, normalizePaths } from './paths.ts'
import { getCallerPosition } from './stack.ts'

/** Depth limit, because a router may be mounted in itself. */
const MAX_DEPTH = 20
/** Sample values of parameters. Most accept the first, and some only digits. */
const SAMPLE_VALUES = ['x', '1', '00000000-0000-4000-8000-000000000000']

interface Handler {
  /** The method of the route. */
  readonly name: string
  /** The method in lower case. Undefined for every method. */
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

  /** Collects the requirements of every request to a route. */
  collectRequirements(
    stack: readonly Layer[],
    declared: DeclaredHandler,
  ): readonly RequirementSummary[] {
    for (const value of SAMPLE_VALUES) {
      const path = fillParameters(declared.path, value)
      const walk = this.#walk(stack, { ...declared, path }, 0)
      if (walk.isFound) return walk.requirements
    }
    // No sample matches, so only guards of all paths count.
    return this.#walk(stack, { ...declared, path: undefined }, 0).requirements
  }

  /** Finds the handler of each method: the last step that is not a guard. */
  #listHandlers(steps: readonly Step[]): readonly Handler[] {
    const methods = [...new Set(steps.map(({ method }) => method))]
    // Express 4 stores `all` as one step per method.
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
      // Without a path, only guards of all paths count.
      if (request.path !== undefined || this.#isEverywhere(layer)) requirements.push(...found)
    }
    return { isFound: false, requirements }
  }

  /** Walks one layer, up to the handler of the request. */
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

  /** Finds the router or app of a layer. Undefined for a handler or a route. */
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
      'expected the mount path of a router or app, got none. Pass the module without bundling Express into it.',
    )
  }
}

interface WalkRequest extends Handler {
  /** Undefined if no sample matches. */
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

/** Gets the rest of the path after a layer. False if the layer does not match. */
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

/** One function of a route, in order. */
export interface Step {
  readonly handle: Handle
  /** Lower case; undefined for every method. */
  readonly method?: string
}

interface Layer {
  readonly handle: Handle
  readonly route?: { readonly path: unknown; readonly stack: readonly Step[] }
  /** The last matched path in Express 4. */
  readonly path?: string
  /** Whether a path matches. Newer routers return the matched part. */
  match(path: string): boolean | { readonly path: string }
}

interface Router {
  readonly stack: readonly Layer[]
}

/** Common members of Express 4 and 5, and members that differ. */
export interface ExpressApp {
  (...args: never[]): unknown
  readonly handle: unknown
  readonly set: unknown
  /** The app that this one is mounted in. */
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

/** Gets the layers of an app. Empty without a router. */
function getLayers(app: ExpressApp): readonly Layer[] {
  // Reading `router` throws in Express 4.
  return (app.lazyrouter === undefined ? app.router : app._router)?.stack ?? []
}

/** Records apps, mount paths and positions while a module loads. */
export class ExpressWatch {
  /** In order of creation. */
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

  /** Wraps Express if the module exports it. Ignores other exports. */
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
    // In Express 4 the function itself is the prototype.
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
          const position = getCallerPosition()
          for (const step of stack.slice(length)) this.#positions.set(step, position)
          return result
        },
      )
    }
  }

  /** Express wraps each mounted app in a function, one layer per app, in order. */
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

/** Gets the mount path. Like Express, decides by the first item of nested arrays. */
function getMountPath(args: readonly unknown[]): unknown {
  return typeof [args[0]].flat(Infinity)[0] === 'function' ? '/' : args[0]
}

/** Replaces a method with `inner`. `call` runs the original with the same `this` and arguments. */
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
