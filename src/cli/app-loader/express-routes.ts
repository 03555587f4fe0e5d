/** The routes of an Express app, each with the guards a request meets on its way there. */
import { METHODS } from 'node:http'
import type { AppRoute, Position } from '../../contract/infra/index.ts'
import { type ToldRequirement, toldRequirement } from '../../core/introspection.ts'
import {
  type ExpressApp,
  type ExpressWatch,
  isExpressApp,
  type Layer,
  layersOf,
  type Step,
} from './express.ts'
import { type AppRoutes, InspectionFailure } from './load.ts'
import { joinedPath, plainPaths, samplePath } from './paths.ts'
import { requirementOf } from './requirements.ts'

/** A router mounted in itself would never end. */
const DEPTH = 20
/** What parameters are tried with: most take the first, some only digits. */
const VALUES = ['x', '1', '00000000-0000-4000-8000-000000000000']

interface Handler {
  /** As routes have it. */
  readonly name: string
  /** A method that it answers, lower case; undefined where it answers whatever comes. */
  readonly method: string | undefined
  readonly handler: Step
}

interface Declared extends Handler {
  readonly path: string
}

/** Reads a router as Express runs it: in order, by its own matching of paths. */
export function expressRoutes(app: ExpressApp, watch: ExpressWatch, fallback: Position): AppRoutes {
  const stack = layersOf(app)
  const reader = new Reader(watch)
  const routes = [...reader.declared(stack, [''], 0)].map((declared): AppRoute => {
    const { name, path, handler } = declared
    const auth = requirementOf(reader.needsOf(stack, declared))
    return { method: name, path, auth, at: watch.placeOf(handler) ?? fallback }
  })
  return { routes, guarded: reader.guarded }
}

class Reader {
  guarded = false
  readonly #watch: ExpressWatch

  constructor(watch: ExpressWatch) {
    this.#watch = watch
  }

  *declared(
    stack: readonly Layer[],
    prefixes: readonly string[],
    depth: number,
  ): Generator<Declared> {
    for (const layer of stack) {
      const { route } = layer
      if (route !== undefined) {
        const paths = below(prefixes, route.path)
        for (const it of this.#handlers(route.stack)) {
          for (const path of paths) yield { ...it, path }
        }
        continue
      }
      this.#needOf(layer)
      const mounted = this.#mounted(layer)
      if (mounted === undefined || depth === DEPTH) continue
      yield* this.declared(mounted.stack, below(prefixes, mounted.path), depth + 1)
    }
  }

  /** What every request to a route has to meet. */
  needsOf(stack: readonly Layer[], declared: Declared): readonly ToldRequirement[] {
    for (const value of VALUES) {
      const path = samplePath(declared.path, value)
      const walk = this.#walk(stack, { ...declared, path }, 0)
      if (walk.arrived) return walk.needs
    }
    // A path nobody can think of: only what stands in front of everything counts.
    return this.#walk(stack, { ...declared, path: undefined }, 0).needs
  }

  /** Which step answers for each method: the last that is no guard. */
  #handlers(steps: readonly Step[]): readonly Handler[] {
    const methods = [...new Set(steps.map(({ method }) => method))]
    // Express 4 has `all` as every method there is.
    const isAll = methods.filter((method) => method !== undefined).length === METHODS.length
    return (isAll ? ['get'] : methods).flatMap((method) => {
      const own = steps.filter((step) => step.method === undefined || step.method === method)
      const handler = own.findLast((step) => this.#needOf(step) === undefined)
      const name = isAll || method === undefined ? 'ANY' : method.toUpperCase()
      return handler === undefined ? [] : [{ name, method, handler }]
    })
  }

  #walk(stack: readonly Layer[], request: Wanted, depth: number): Walk {
    const needs: ToldRequirement[] = []
    for (const layer of stack) {
      const rest = restOf(layer, request.path, this.#isEverywhere(layer))
      if (rest === false || depth > DEPTH) continue
      const { arrived, needs: met } = this.#pass(layer, { ...request, path: rest }, depth)
      if (arrived) return { arrived, needs: [...needs, ...met] }
      // Without a path only what is certainly met counts.
      if (request.path !== undefined || this.#isEverywhere(layer)) needs.push(...met)
    }
    return { arrived: false, needs }
  }

  /** Through one layer, unless the request ends there. */
  #pass(layer: Layer, request: Wanted, depth: number): Walk {
    const { route } = layer
    const mounted = this.#mounted(layer)
    if (mounted !== undefined) return this.#walk(mounted.stack, request, depth + 1)
    const needs: ToldRequirement[] = []
    for (const step of route?.stack ?? [layer as Step]) {
      if (step.method !== undefined && step.method !== request.method) continue
      if (step === request.handler) return { arrived: true, needs }
      const need = this.#needOf(step)
      if (need !== undefined) needs.push(need)
    }
    return { arrived: false, needs }
  }

  #needOf({ handle }: Pick<Step, 'handle'>): ToldRequirement | undefined {
    const need = toldRequirement(handle)
    this.guarded ||= need !== undefined
    return need
  }

  #isEverywhere(layer: Layer): boolean {
    return layer.route === undefined && this.#watch.mountOf(layer)?.path === '/'
  }

  /** The router or app behind a layer; undefined where it is a handler or a route. */
  #mounted(layer: Layer): { readonly path: unknown; readonly stack: readonly Layer[] } | undefined {
    const { handle } = layer
    const mount = this.#watch.mountOf(layer)
    const app = isExpressApp(handle) ? handle : mount?.app
    const stack = app === undefined ? handle.stack : layersOf(app)
    if (mount !== undefined) return stack && { path: mount.path, stack }
    if (stack === undefined && handle.name !== 'mounted_app') return undefined
    throw new InspectionFailure(
      'something is mounted and Express does not tell where: pass the module as it is, not bundled with Express',
    )
  }
}

interface Wanted extends Handler {
  /** Undefined where no sample of it is known. */
  readonly path: string | undefined
}

interface Walk {
  readonly arrived: boolean
  readonly needs: readonly ToldRequirement[]
}

function below(prefixes: readonly string[], pattern: unknown): readonly string[] {
  return prefixes.flatMap((prefix) => plainPaths(pattern).map((path) => joinedPath(prefix, path)))
}

/** What a layer leaves of a path for what is below it; false where the request passes it by. */
function restOf(
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
