/** An app that creates guards per request gets one warning, with every adapter that has guards of its routes. */
import t from 'tap'
import { cognitoAuth as expressAuth } from '../../src/adapters/express/index.ts'
import { createFetchAuth } from '../../src/adapters/fetch/index.ts'
import { cognitoAuth as honoAuth } from '../../src/adapters/hono/index.ts'
import { cognitoAuth as koaAuth } from '../../src/adapters/koa/index.ts'
import { createHandlerAuth } from '../../src/adapters/lambda/index.ts'
import type { CognitoAuthOptions } from '../../src/index.ts'
import { pool, SCOPE } from '../support/fastify.ts'

const requirement = { scopes: SCOPE } as const
const CREATORS: Readonly<Record<string, (options: CognitoAuthOptions) => () => unknown>> = {
  Express: (options) => {
    const auth = expressAuth(options)
    return () => auth(requirement)
  },
  Hono: (options) => {
    const auth = honoAuth(options)
    return () => auth(requirement)
  },
  Koa: (options) => {
    const auth = koaAuth(options)
    return () => auth()
  },
  fetch: (options) => {
    const auth = createFetchAuth(options)
    return () => auth.protect(requirement, () => new Response())
  },
  'Lambda handlers': (options) => {
    const { protectHandler } = createHandlerAuth(options)
    return () => protectHandler(requirement, () => ({}))
  },
}

for (const [name, createCreator] of Object.entries(CREATORS)) {
  t.test(`${name}: one warning after 1000 guards`, async (t) => {
    const warnings: unknown[] = []
    const warn = (...args: unknown[]) => warnings.push(args)
    const logger = { info: () => {}, warn, error: () => {} }
    const create = createCreator({ ...pool.options(), logger } as CognitoAuthOptions)
    // The local pool has a warning too.
    warnings.length = 0
    for (let count = 0; count < 999; count += 1) create()
    t.strictSame(warnings, [])
    for (let count = 0; count < 2000; count += 1) create()
    const text =
      'cognito-m2m: many guards were created; create each guard once, outside of handlers'
    t.strictSame(warnings, [[{ count: 1000 }, text]])
  })
}
