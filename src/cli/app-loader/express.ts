/**
 * Remembers of Express 4 and 5 what their routers forget: under which path something is mounted, which app
 * a mounted one is, and where a handler was declared.
 */
import { METHODS } from 'node:http'
import type { Position } from '../../contract/infra/index.ts'
import { callerPosition } from './stack.ts'

type Handle = ((...args: never[]) => unknown) & { readonly stack?: readonly Layer[] }

/** What a route runs, in order. */
export interface Step {
  readonly handle: Handle
  /** Lower case; undefined for every method. */
  readonly method?: string
}

export interface Layer {
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
export function layersOf(app: ExpressApp): readonly Layer[] {
  // Reading `router` throws in Express 4.
  return (app.lazyrouter === undefined ? app.router : app._router)?.stack ?? []
}

/** See the module. */
export class ExpressWatch {
  /** In the order they were made. */
  readonly apps: Set<ExpressApp> = new Set()
  readonly #mounts = new WeakMap<Layer, Mount>()
  readonly #places = new WeakMap<Step, Position | undefined>()
  readonly #watched = new WeakSet<object>()

  mountOf(layer: Layer): Mount | undefined {
    return this.#mounts.get(layer)
  }

  placeOf(step: Step): Position | undefined {
    return this.#places.get(step)
  }

  /** Watches what a module exports, if that is Express. Anything else is left alone. */
  watch(exported: unknown): void {
    if (!isExpress(exported) || this.#watched.has(exported)) return
    this.#watched.add(exported)
    const { application, Router, Route } = exported
    around<ExpressApp>(application, 'init', (app, _args, call) => {
      this.apps.add(app)
      return call()
    })
    around<ExpressApp>(application, 'use', (app, args, call) => this.#use(app, args, call))
    const { prototype = {} } = Router
    // Express 4 has no prototype beside the function itself.
    around<Router>('use' in prototype ? prototype : Router, 'use', ({ stack }, args, call) => {
      const { length } = stack
      const result = call()
      for (const layer of stack.slice(length)) this.#mounts.set(layer, { path: mountPath(args) })
      return result
    })
    for (const name of [...METHODS.map((method) => method.toLowerCase()), 'all']) {
      around<{ readonly stack: readonly Step[] }>(Route.prototype, name, ({ stack }, _, call) => {
        const { length } = stack
        const result = call()
        const place = callerPosition()
        for (const step of stack.slice(length)) this.#places.set(step, place)
        return result
      })
    }
  }

  /** A mounted app hides in a function: one such layer for each, in their order. */
  #use(app: ExpressApp, args: readonly unknown[], call: () => unknown): unknown {
    const { length } = layersOf(app)
    const result = call()
    const mounted = layersOf(app)
      .slice(length)
      .filter(({ handle }) => handle.name === 'mounted_app')
    const apps = args.flat(Infinity).filter(isExpressApp)
    for (const [index, layer] of mounted.entries()) {
      this.#mounts.set(layer, { path: mountPath(args), app: apps[index] })
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
function mountPath(args: readonly unknown[]): unknown {
  return typeof [args[0]].flat(Infinity)[0] === 'function' ? '/' : args[0]
}

/** Runs `inner` in place of a method; `call` is the method with its own `this` and arguments. */
function around<This extends object>(
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
