/** Mixins: handlers whose functions are copied to another class keep their requirements. */
import 'reflect-metadata'
import { Controller, Get } from '@nestjs/common'
import t from 'tap'
import { Auth, Public } from '../../../src/adapters/nestjs/index.ts'
import { get } from '../../support/express.ts'
import { right } from '../../support/fastify.ts'
import {
  type Class,
  createController,
  decorateMethod,
  listen,
  type Platform,
  platforms,
  protectedBy,
} from '../../support/nestjs.ts'

const [platform] = platforms as readonly [Platform]
const needsAdmin = Auth({ scopes: 'orders/admin' })

/** A controller with a copy of each method, as mixins of the TypeScript handbook make it. */
function mix(
  source: Class,
  decorators: readonly ClassDecorator[] = [],
  isConstructorCopied = false,
): Class {
  class Mixed {}
  const { constructor: ofSource, ...methods } = Object.getOwnPropertyDescriptors(source.prototype)
  Object.defineProperties(Mixed.prototype, methods)
  if (isConstructorCopied) Object.defineProperty(Mixed.prototype, 'constructor', ofSource)
  for (const decorator of [Controller('mixed'), ...decorators]) decorator(Mixed)
  return Mixed
}

const start = (t: Parameters<typeof listen>[0], ...controllers: Class[]) =>
  listen(t, platform, { imports: [protectedBy()], controllers })

t.test('a copied method keeps its requirement', async (t) => {
  const source = createController({ r: { decorators: [needsAdmin] } })
  const withConstructor = mix(source, [], true)
  for (const controllers of [
    [mix(source)],
    [source, mix(source)],
    [mix(source, [Auth()])],
    [withConstructor],
    [source, withConstructor],
  ]) {
    const url = await start(t, ...controllers)
    t.equal((await get(`${url}/mixed/r`, right)).said, '403 ERR_SCOPE_INSUFFICIENT')
    t.equal((await get(`${url}/mixed/r`)).said, '401 ERR_TOKEN_MISSING')
  }
})

t.test('the decorator of a copy changes no other copy', async (t) => {
  const source = createController({ r: { decorators: [needsAdmin] } })
  for (const decorator of [Auth(), Public()]) {
    const mixed = mix(source)
    decorateMethod(mixed, 'r', [decorator])
    const url = await start(t, mixed)
    t.equal((await get(`${url}/mixed/r`, right)).said, '200')
  }
  const url = await start(t, source, mix(source))
  for (const path of ['r', 'mixed/r'])
    t.equal((await get(`${url}/${path}`, right)).said, '403 ERR_SCOPE_INSUFFICIENT')
})

t.test('a copied method is not public without its own decorator', async (t) => {
  const url = await start(t, mix(createController({ r: { decorators: [Public()] } })))
  t.equal((await get(`${url}/mixed/r`)).said, '401 ERR_TOKEN_MISSING')
  t.equal((await get(`${url}/mixed/r`, right)).said, '200')
})

t.test('a method that overrides a copied one has a separate requirement', async (t) => {
  const source = createController({ r: { decorators: [needsAdmin] } })
  class Own extends mix(source) {
    r() {
      return 'own'
    }
  }
  decorateMethod(Own, 'r', [Get('r')])
  Controller('own')(Own)
  const url = await start(t, Own)
  t.equal((await get(`${url}/own/r`, right)).said, '403 ERR_SCOPE_INSUFFICIENT')
})
