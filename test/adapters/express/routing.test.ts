/** Wherever Express lets middleware stand, it guards what stands behind it and nothing else. */
import type { Express, RequestHandler } from 'express'
import t from 'tap'
import { getAuth } from '../../../src/adapters/express/index.ts'
import { authFor, authOf, get, listen, versions } from '../../support/express.ts'
import { forged, MISSING, NO_SCOPE, right, SCOPE, wrongScope } from '../../support/fastify.ts'

const auth = authFor()

for (const [version, express] of Object.entries(versions)) {
  /** Each place answers these, and its handler runs for the right token alone. */
  const places: Record<string, (app: Express, reached: () => void) => string> = {
    'a route': (app, reached) => {
      app.get('/r', auth({ scopes: SCOPE }), (req, res) => {
        reached()
        res.json(getAuth(req).clientId)
      })
      return '/r'
    },
    'an array of middleware': (app, reached) => {
      const stamp: RequestHandler = (_req, _res, next) => next()
      app.get('/r', [stamp, auth({ scopes: SCOPE })], ((req, res) => {
        reached()
        res.json(getAuth(req).clientId)
      }) satisfies RequestHandler)
      return '/r'
    },
    'app.use': (app, reached) => {
      app.use(auth({ scopes: SCOPE }))
      app.get('/r', (req, res) => {
        reached()
        res.json(getAuth(req).clientId)
      })
      return '/r'
    },
    'app.use with a path': (app, reached) => {
      app.use('/api', auth({ scopes: SCOPE }), (req, res) => {
        reached()
        res.json(getAuth(req).clientId)
      })
      return '/api/deep/er'
    },
    'a router': (app, reached) => {
      const router = express.Router()
      router.use(auth({ scopes: SCOPE }))
      router.get('/r', (req, res) => {
        reached()
        res.json(getAuth(req).clientId)
      })
      app.use('/v1', router)
      return '/v1/r'
    },
    'a mounted app': (app, reached) => {
      const child = express()
      child.get('/r', auth({ scopes: SCOPE }), (req, res) => {
        reached()
        res.json(getAuth(req).clientId)
      })
      app.use('/child', child)
      return '/child/r'
    },
    'in front of a mounted app': (app, reached) => {
      const child = express()
      child.get('/r', (req, res) => {
        reached()
        res.json(getAuth(req).clientId)
      })
      app.use('/child', auth({ scopes: SCOPE }), child)
      return '/child/r'
    },
    'route().all()': (app, reached) => {
      app
        .route('/r')
        .all(auth({ scopes: SCOPE }))
        .get((req, res) => {
          reached()
          res.json(getAuth(req).clientId)
        })
      return '/r'
    },
    'an async handler behind it': (app, reached) => {
      app.get('/r', auth({ scopes: SCOPE }), async (req, res) => {
        reached()
        await Promise.resolve()
        res.json(getAuth(req).clientId)
      })
      return '/r'
    },
    'behind a broader guard': (app, reached) => {
      app.use(auth())
      app.get('/r', auth({ scopes: SCOPE }), (req, res) => {
        reached()
        res.json(getAuth(req).clientId)
      })
      return '/r'
    },
  }

  for (const [place, build] of Object.entries(places)) {
    t.test(`${version}: ${place}`, async (t) => {
      const app = express()
      let reached = 0
      const path = build(app, () => {
        reached += 1
      })
      app.get('/open', (req, res) => {
        res.json({ auth: authOf(req) ?? null })
      })
      const url = `${await listen(t, app)}${path}`
      t.equal((await get(url)).said, MISSING)
      t.equal((await get(url, forged)).said, '401 ERR_TOKEN_SIGNATURE')
      t.equal((await get(url, wrongScope)).said, NO_SCOPE)
      t.equal((await get(url, undefined, 'HEAD')).said, '401')
      t.equal(reached, 0)
      const { said, body } = await get(`${url}?access_token=x`, right)
      t.strictSame([said, body, reached], ['200', 'billing', 1])
    })
  }

  t.test(`${version}: behind a trusted proxy nothing of X-Forwarded-* counts`, async (t) => {
    const app = express()
    app.set('trust proxy', true)
    const guarded = authFor({ resourceMetadata: { resource: 'https://api.example.com' } })
    app.use(guarded.metadata())
    app.get('/r', guarded(), (req, res) => void res.json(req.ip))
    const url = await listen(t, app)
    const headers = {
      'x-forwarded-for': '10.0.0.1',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-authorization': right,
      forwarded: 'host=evil.example',
    }
    const refused = await fetch(`${url}/r`, { headers })
    t.equal(refused.status, 401)
    t.equal(
      refused.headers.get('www-authenticate'),
      'Bearer realm="api", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"',
    )
    const passed = await fetch(`${url}/r`, { headers: { ...headers, authorization: right } })
    t.strictSame([passed.status, await passed.json()], [200, '10.0.0.1'])
    const document = await fetch(`${url}/.well-known/oauth-protected-resource`, { headers })
    t.notMatch(await document.text(), /evil/)
  })

  t.test(`${version}: the factory that was not called throws instead of hanging`, async (t) => {
    const app = express()
    let reached = false
    app.get('/r', auth as never, () => {
      reached = true
    })
    app.use('/used', auth as never)
    const seen: unknown[] = []
    const handler = (
      error: Error,
      _req: unknown,
      res: { status(it: number): { end(): void } },
      _next: unknown,
    ) => {
      seen.push(error.message)
      res.status(500).end()
    }
    app.use(handler as never)
    const url = await listen(t, app)
    for (const path of ['/r', '/used']) {
      t.equal((await get(`${url}${path}`, right)).said, '500')
      const message =
        /^cognito-m2m: auth: expected one requirement, got a request of Express\. Call it: auth\(\) or auth\(\{ … \}\)\.$/
      const logged = seen.splice(0)
      t.equal(logged.length, 1)
      t.match(logged, [message])
    }
    t.notOk(reached)
  })
}
