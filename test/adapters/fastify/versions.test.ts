/** The versions of Fastify that the plugins admit. Fastify itself checks the range only of released versions. */
import { createRequire } from 'node:module'
import fastify from 'fastify'
import { satisfies } from 'semver'
import t from 'tap'
import { authDefault, cognitoAuth } from '../../../src/adapters/fastify/index.ts'
import { cognitoOpenApi } from '../../../src/contract/openapi/fastify/index.ts'
import { tokenProxy } from '../../../src/tokens/proxy/index.ts'

const require = createRequire(import.meta.url)
const { peerDependencies } = require('../../../package.json')
const META = Symbol.for('plugin-meta')

t.test('the plugins admit Fastify 5 and 6, and no other', async (t) => {
  for (const plugin of [cognitoAuth, authDefault, cognitoOpenApi, tokenProxy]) {
    const { name, fastify: range } = Reflect.get(plugin, META)
    for (const version of ['5.0.0', '5.99.0', '6.0.0']) t.ok(satisfies(version, range), name)
    for (const version of ['4.29.1', '7.0.0']) t.notOk(satisfies(version, range), name)
  }
})

t.test('the peer range has no version that is not released', async (t) => {
  t.notOk(satisfies('6.0.0', peerDependencies.fastify))
})

t.test('the tests run with the version that FASTIFY names', async (t) => {
  const { version } = require(`${process.env['FASTIFY'] || 'fastify'}/package.json`)
  t.equal(fastify().version, version)
})
