/** `auth(requirement)` of frameworks with middleware: compiles a requirement once, and creates its middleware. */
import { attachRequirement } from '../core/introspection.ts'
import type { Logger } from '../core/options/logger.ts'
import { OptionError } from '../core/options/validate.ts'
import { type CompiledRequirement, compileRequirement } from '../core/requirement.ts'
import type { CoreGuard, CoreServer } from '../core/resource-server.ts'
import type { RouteReader } from '../core/trace-decision.ts'
import { countGuards } from './count-guards.ts'

/** What a framework contributes. */
export interface AuthFactoryParts<Middleware extends object> {
  readonly framework: string
  readonly server: CoreServer
  readonly logger: Logger
  /** The requirement of `auth()`. */
  readonly defaultRequirement: CompiledRequirement
  readonly createMiddleware: (guard: CoreGuard) => Middleware
  readonly readRoute: RouteReader
}

/** @returns A function that takes no argument or one requirement. */
export function createAuthFactory<Middleware extends object>({
  framework,
  server,
  logger,
  defaultRequirement,
  createMiddleware,
  readRoute,
}: AuthFactoryParts<Middleware>): (...args: readonly unknown[]) => Middleware {
  const countGuard = countGuards(logger)
  return (...args) => {
    // A framework passes at least two arguments. It would wait forever: this function only creates middleware.
    if (args.length > 1) {
      throw new OptionError(
        'auth',
        `expected one requirement, got a request of ${framework}. Call it: auth() or auth({ … }).`,
      )
    }
    countGuard()
    const requirement = args.length === 0 ? defaultRequirement : compileRequirement(args[0], 'auth')
    return attachRequirement(
      createMiddleware(server.createGuard(requirement, readRoute)),
      requirement,
    )
  }
}
