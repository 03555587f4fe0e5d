/** Tokens in query, body, cookies and other headers are never read (RFC 6750 sections 2.2 and 2.3). */
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { cognitoAuth as expressAuth } from '../../../src/adapters/express/index.ts'
import { cognitoAuth } from '../../../src/adapters/fastify/index.ts'
import { listen, versions } from '../../support/express.ts'
import { exchange } from '../behavior/endpoint.ts'
import { GOOD } from './hostile-case.ts'
import { doorPlans } from './options.ts'
import { NO_TOKEN, tokensElsewhere } from './other-locations.ts'

const { options } = doorPlans([]).plain

/** Every place but Authorization, then Authorization. */
async function checkPlaces(t: Test, port: number, reached: () => number): Promise<void> {
  const answers = await tokensElsewhere(port)
  t.ok(answers.length > 50, `${answers.length} places`)
  for (const { place, ...answer } of answers) t.strictSame(answer, NO_TOKEN, place)
  t.equal(reached(), 0)
  const lines = ['GET /r HTTP/1.1', 'Host: a', 'Connection: close', `AUTHORIZATION: Bearer ${GOOD}`]
  t.match(await exchange(port, lines), /^HTTP\/1\.1 200 /, 'where it belongs it is read')
  t.equal(reached(), 1)
}

t.test('Fastify reads a token in Authorization and nowhere else', async (t) => {
  const app = Fastify()
  let reached = 0
  await app.register(cognitoAuth, options)
  for (const type of [
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'application/jwt',
  ]) {
    app.addContentTypeParser(
      type,
      { parseAs: 'string' },
      async (_request: unknown, text: unknown) => text,
    )
  }
  app.route({
    method: ['GET', 'POST'],
    url: '/r',
    handler: async () => {
      reached += 1
      return 'reached'
    },
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => app.close())
  await checkPlaces(t, (app.server.address() as AddressInfo).port, () => reached)
})

for (const [version, express] of Object.entries(versions)) {
  t.test(`${version} reads a token in Authorization and nowhere else`, async (t) => {
    const app = express()
    let reached = 0
    const auth = expressAuth(options)
    // Parsed before the guard, as many apps do: what is there to read is not read.
    app.use(express.urlencoded({ extended: true }), express.json())
    app.all('/r', auth(), (_req, res) => {
      reached += 1
      res.send('reached')
    })
    const port = Number(new URL(await listen(t, app)).port)
    await checkPlaces(t, port, () => reached)
  })
}
