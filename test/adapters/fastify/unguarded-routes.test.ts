/** Routes with config.auth that no registration of cognitoAuth guards. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import autoload from '@fastify/autoload'
import fastify, { type FastifyInstance } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import t, { type Test } from 'tap'

// These apps exist before the plugin's module is loaded, as where a plugin is loaded by its file name.
const early = { refused: fastify(), late: fastify(), found: fastify(), other: fastify() }
const lines: Record<string, unknown>[] = []
const stream = { write: (line: string) => void lines.push(JSON.parse(line)) }
const logged = fastify({ logger: { level: 'error', stream } })
const { authDefault, cognitoAuth } = await import('../../../src/adapters/fastify/index.ts')
const { answerOf, captureLog, get, MISSING, newApp, pool, right, start } = await import(
  '../../support/fastify.ts'
)
t.teardown(async () => {
  for (const app of [...Object.values(early), logged]) await app.close()
})

const handler = async () => 'reached'
const scoped = { config: { auth: { scopes: 'orders/read' } } }
const own = async (app: FastifyInstance) => {
  await app.register(cognitoAuth, { ...pool.options(), allowNoRoutes: true })
}
const REFUSAL = {
  code: 'ERR_OPTION_INVALID',
  message: /config\.auth of GET \/orders: expected a registration .*, got none\. .*fastify-plugin/,
}

t.test('a registration in a plugin of its own: a later sibling’s route is rejected', async (t) => {
  const { refused: app } = early
  app.register(own)
  app.register(async (child) => void child.get('/orders', scoped, handler))
  await t.rejects(start(app), REFUSAL)
})

t.test('an app made after the plugin was loaded: an earlier sibling’s too', async (t) => {
  const app = newApp(t)
  app.register(async (child) => void child.get('/orders', scoped, handler))
  app.register(own)
  await t.rejects(start(app), REFUSAL)
  const root = newApp(t)
  root.get('/orders', scoped, handler)
  root.register(own)
  await t.rejects(start(root), REFUSAL)
})

t.test('a route that nothing could see is answered with 500, and logged once', async (t) => {
  let reached = 0
  const count = async () => {
    reached += 1
  }
  const app = logged
  app.register(async (child) => {
    child.get('/orders', scoped, count)
    child.get('/public', { config: { auth: false } }, handler)
    child.get('/plain', handler)
  })
  app.register(own)
  await start(app)
  for (const authorization of [undefined, right]) {
    const headers = authorization === undefined ? {} : { authorization }
    const response = await app.inject({ url: '/orders', headers })
    t.match(answerOf(response), {
      status: 500,
      code: 'ERR_OPTION_INVALID',
      challenge: undefined,
      cacheControl: 'no-store',
    })
    t.strictSame(response.json(), {
      statusCode: 500,
      code: 'ERR_OPTION_INVALID',
      error: 'Internal Server Error',
      message: 'The access requirement of this route is not enforced',
    })
  }
  t.equal(reached, 0)
  const ours = lines.filter(({ msg }) => String(msg).startsWith('cognito-m2m: '))
  t.match(ours, [
    {
      level: 50,
      method: 'GET',
      route: '/orders',
      msg: 'cognito-m2m: no cognitoAuth registration guards a route; answering 500',
    },
  ])
  t.equal(ours.length, 1)
  t.equal(await get(app, '/public'), '200')
  t.equal(await get(app, '/plain'), '200')
})

t.test('not-found handlers with a config of their own are no exception', async (t) => {
  const app = newApp(t)
  app.setNotFoundHandler(handler)
  app.register(own)
  app.register(
    async (child) => {
      // Fastify's types know of no config here; its code takes one.
      child.setNotFoundHandler({ config: { auth: {} } } as object, handler)
    },
    { prefix: '/api' },
  )
  t.equal(await get(app, '/api/x'), '500 ERR_OPTION_INVALID')
  t.equal(await get(app, '/x'), '200')
})

t.test('what a guard reaches is not rejected, whichever comes first', async (t) => {
  const orders: Record<string, (app: FastifyInstance) => void> = {
    'guard, route': (app) => {
      app.register(cognitoAuth, pool.options())
      app.get('/orders', scoped, handler)
    },
    'route, guard': (app) => {
      app.get('/orders', scoped, handler)
      app.register(cognitoAuth, pool.options())
    },
    'child, guard': (app) => {
      app.register(async (child) => void child.get('/orders', scoped, handler))
      app.register(cognitoAuth, pool.options())
    },
    'guard in fastify-plugin': (app) => {
      app.register(fastifyPlugin(async (it) => void it.register(cognitoAuth, pool.options())))
      app.register(async (child) => void child.get('/orders', scoped, handler))
    },
    'two siblings, each with its guard': (app) => {
      app.register(async (child) => {
        child.get('/orders', scoped, handler)
        child.register(cognitoAuth, pool.options())
      })
      app.register(async (child) => {
        child.register(cognitoAuth, pool.options())
        child.get('/invoices', scoped, handler)
      })
    },
  }
  for (const [order, build] of Object.entries(orders)) {
    const app = newApp(t)
    build(app)
    t.equal(await get(app, '/orders'), MISSING, order)
    t.equal(await get(app, '/orders', right), '200', order)
  }
})

t.test('a config that is null asks for nothing', async (t) => {
  const app = newApp(t)
  app.get('/plain', { config: null as never }, handler)
  app.register(own)
  t.equal(await get(app, '/plain'), '200')
})

t.test('every route is named, and how many more there are', async (t) => {
  const app = newApp(t)
  for (const url of ['/a', '/b']) app.post(url, scoped, handler)
  app.register(own)
  await t.rejects(start(app), { message: /config\.auth of POST \/a \(and 1 more\)/ })
})

t.test('auth that is true, undefined or inherited asks for protection too', async (t) => {
  for (const config of [{ auth: true }, { auth: undefined }, Object.create({ auth: {} })]) {
    const app = newApp(t)
    app.get('/orders', { config }, handler)
    app.register(own)
    await t.rejects(start(app), REFUSAL)
  }
})

t.test('unguardedRoutes: ignore, where config.auth belongs to another plugin', async (t) => {
  const app = newApp(t)
  app.get('/orders', scoped, handler)
  app.register(async (child) => {
    child.register(cognitoAuth, { ...pool.options(), unguardedRoutes: 'ignore' })
    child.get('/inner', handler)
  })
  t.equal(await get(app, '/orders'), '200')
  t.equal(await get(app, '/inner'), MISSING)
})

t.test('one registration that does not ignore them is enough to refuse', async (t) => {
  const app = newApp(t)
  app.get('/orders', scoped, handler)
  for (const unguardedRoutes of ['ignore', 'refuse'] as const) {
    app.register(async (child) => {
      child.register(cognitoAuth, { ...pool.options(), unguardedRoutes })
      child.get(`/${unguardedRoutes}`, handler)
    })
  }
  await t.rejects(start(app), REFUSAL)
})

t.test('a nested registration that guards no route does not start', async (t) => {
  const lost = {
    code: 'ERR_OPTION_INVALID',
    message: /^cognito-m2m: cognitoAuth: expected routes .*, got none: .*\bfp\b.*allowNoRoutes/,
  }
  for (const [name, app] of [
    ['made before', early.late],
    ['made after', newApp(t)],
  ] as const) {
    app.register(async (child) => {
      await child.register(cognitoAuth, {
        ...pool.options(),
        resourceMetadata: { resource: 'https://api.example.com' },
      })
    })
    app.register(async (child) => void child.get('/unannotated', handler))
    await t.rejects(start(app), lost, name)
  }
  const allowed = newApp(t)
  allowed.register(own)
  allowed.get('/unannotated', handler)
  t.equal(await get(allowed, '/unannotated'), '200', 'nothing was asked for there')
})

t.test('one that guards a route starts, wherever the route was declared', async (t) => {
  const builds: Record<string, (child: FastifyInstance) => void> = {
    'before it': (child) => {
      child.get('/r', handler)
      child.register(cognitoAuth, pool.options())
    },
    'after it': (child) => {
      child.register(cognitoAuth, pool.options())
      child.get('/r', handler)
    },
    'below it': (child) => {
      child.register(cognitoAuth, pool.options())
      child.register(async (below) => void below.get('/r', handler))
    },
    'below it, with a registration of its own': (child) => {
      child.register(cognitoAuth, pool.options())
      child.register(async (below) => {
        below.register(cognitoAuth, pool.options())
        below.get('/r', handler)
      })
    },
  }
  for (const [where, build] of Object.entries(builds)) {
    const app = newApp(t)
    app.register(async (child) => build(child))
    t.equal(await get(app, '/r'), MISSING, where)
  }
  const { found: app } = early
  app.register(async (child) => void builds['before it']?.(child))
  t.equal(await get(app, '/r'), MISSING, 'in an app made before the plugin was loaded')
})

t.test('at the root it may guard no route', async (t) => {
  const app = newApp(t)
  await app.register(cognitoAuth, pool.options())
  t.equal(await get(app, '/nowhere'), MISSING)
})

t.test(
  'an app without the plugin starts, and is warned where it asks for protection',
  async (t) => {
    const warnings = captureLog('warn')
    const app = newApp(t, { logger: warnings.logger })
    app.get('/orders', scoped, handler)
    app.get('/plain', handler)
    t.equal(await get(app, '/orders'), '200')
    t.match(warnings.lines(), [
      { level: 40, method: 'GET', route: '/orders', msg: /^cognito-m2m: .*not registered/ },
    ])
    t.equal(warnings.lines().length, 1)
    const silent = captureLog('warn')
    const plain = newApp(t, { logger: silent.logger })
    plain.get('/plain', { config: { auth: false } }, handler)
    await start(plain)
    t.equal(silent.text(), '')
  },
)

t.test('the two options are read strictly', async (t) => {
  for (const options of [
    { unguardedRoutes: 'allow' },
    { unguardedRoutes: true },
    { allowNoRoutes: 'yes' },
  ]) {
    const app = newApp(t)
    app.register(cognitoAuth, { ...pool.options(), ...options } as never)
    const [name] = Object.keys(options)
    await t.rejects(start(app), { code: 'ERR_OPTION_INVALID', option: name })
  }
})

/** A folder of plugins that @fastify/autoload loads. */
function folder(test: Test, files: Record<string, string>): string {
  const path = mkdtempSync(join(import.meta.dirname, 'autoload-'))
  test.teardown(() => rmSync(path, { recursive: true }))
  for (const [name, code] of Object.entries(files)) writeFileSync(join(path, name), code)
  return path
}

const plugins = (form: 'bare' | 'fp' | 'autoConfig'): string => `
  import fp from 'fastify-plugin'
  import cognitoAuth from '../../../../src/adapters/fastify/index.ts'
  import { pool } from '../../../support/fastify.ts'
  ${form === 'bare' ? 'export default async (app) => { await app.register(cognitoAuth, pool.options()) }' : ''}
  ${form === 'fp' ? 'export default fp(async (app) => { await app.register(cognitoAuth, pool.options()) })' : ''}
  ${form === 'autoConfig' ? 'export default cognitoAuth\nexport const autoConfig = pool.options()' : ''}
`

t.test(
  '@fastify/autoload: a file without fastify-plugin does not start, both right forms do',
  async (t) => {
    const routes = folder(t, {
      'orders.mjs': `export default async (app) => {
      app.get('/orders', { config: { auth: { scopes: 'orders/read' } } }, async () => 'reached')
      app.get('/plain', async () => 'reached')
    }`,
    })
    for (const form of ['bare', 'fp', 'autoConfig'] as const) {
      const app = newApp(t)
      app.register(autoload, { dir: folder(t, { 'auth.mjs': plugins(form) }) })
      app.register(autoload, { dir: routes })
      if (form === 'bare') {
        await t.rejects(start(app), { code: 'ERR_OPTION_INVALID' }, form)
        continue
      }
      t.equal(await get(app, '/orders'), MISSING, form)
      t.equal(await get(app, '/orders', right), '200', form)
      t.equal(await get(app, '/plain'), MISSING, form)
    }
  },
)

t.test('authDefault in a sibling is rejected as before', async (t) => {
  const { other: app } = early
  app.register(own)
  app.register(async (child) => void child.register(authDefault, { auth: {} }))
  await t.rejects(start(app), {
    option: 'authDefault',
    message: /expected cognitoAuth in this context .*, got none\./,
  })
})

t.test('a config that is no object is no declaration', async (t) => {
  for (const config of [null, 'auth', 0]) {
    const without = newApp(t)
    without.get('/r', { config } as object, handler)
    t.equal(await get(without, '/r'), '200')
    const beside = newApp(t)
    beside.register(own)
    beside.get('/r', { config } as object, handler)
    t.equal(await get(beside, '/r'), '200')
  }
})
