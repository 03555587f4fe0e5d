/** Class decorators that return another class, subclasses, and modules that register a class twice. */
import 'reflect-metadata'
import { Controller, Get, Scope } from '@nestjs/common'
import t from 'tap'
import { Auth, Public } from '../../../src/adapters/nestjs/index.ts'
import { get } from '../../support/express.ts'
import { right, wrongScope } from '../../support/fastify.ts'
import {
  type Class,
  createController,
  decorateMethod,
  listen,
  type Platform,
  platforms,
  protectedBy,
  startNest,
} from '../../support/nestjs.ts'

const [platform] = platforms as readonly [Platform]
const needsAdmin = Auth({ scopes: 'orders/admin' })

/** What class decorators of other packages return. */
const WRAPPERS: Readonly<Record<string, (wrapped: Class) => Class>> = {
  'a subclass with the constructor of its base': (wrapped) => {
    class Wrapper extends wrapped {}
    Object.defineProperty(Wrapper.prototype, 'constructor', { value: wrapped })
    return Wrapper
  },
  'a function with the same prototype': (wrapped) => {
    function Wrapper(this: unknown) {
      return Reflect.construct(wrapped, [])
    }
    Wrapper.prototype = wrapped.prototype
    return Wrapper as never
  },
  'a proxy': (wrapped) => new Proxy(wrapped, {}),
  'a class that creates instances of another one': (wrapped) =>
    class {
      constructor() {
        // biome-ignore lint/correctness/noConstructorReturn: what the decorator does.
        return Reflect.construct(wrapped, [])
      }
    },
}

for (const [name, wrap] of Object.entries(WRAPPERS)) {
  for (const isOutside of [true, false]) {
    t.test(`${name} keeps @Auth ${isOutside ? 'above' : 'below'} it`, async (t) => {
      const wrapped = createController({ r: {} }, isOutside ? [] : [needsAdmin])
      const wrapper = wrap(wrapped)
      Controller()(wrapper)
      if (isOutside) needsAdmin(wrapper)
      const url = await listen(t, platform, { imports: [protectedBy()], controllers: [wrapper] })
      t.equal((await get(`${url}/r`, right)).said, '403 ERR_SCOPE_INSUFFICIENT')
      t.equal((await get(`${url}/r`)).said, '401 ERR_TOKEN_MISSING')
    })
  }
}

t.test('two classes with the same handler and other requirements end the start', async (t) => {
  const base = createController({ r: {} })
  const wrapper = WRAPPERS['a subclass with the constructor of its base']?.(base) as Class
  Controller('wrapper')(wrapper)
  needsAdmin(wrapper)
  await t.rejects(startNest(platform, { imports: [protectedBy()], controllers: [base, wrapper] }), {
    name: 'OptionError',
    message:
      /^cognito-m2m: @Auth: expected one requirement of TestController\.r, got two\. Give each class a separate constructor property, and each method a separate function\.$/,
  })
})

t.test('one function as two methods with other requirements ends the start', async (t) => {
  const base = createController({ r: { decorators: [needsAdmin] } })
  const { value } = Object.getOwnPropertyDescriptor(base.prototype, 'r') as PropertyDescriptor
  Object.defineProperty(base.prototype, 'alias', { value, writable: true, configurable: true })
  decorateMethod(base, 'alias', [Auth()])
  await t.rejects(startNest(platform, { imports: [protectedBy()], controllers: [base] }), {
    message: /TestController\.alias, got two/,
  })
})

t.test('a controller per request keeps its requirement', async (t) => {
  const controller = createController({ r: {} }, [needsAdmin])
  Object.defineProperty(controller.prototype, 'r', { writable: true })
  Controller({ scope: Scope.REQUEST })(controller)
  const url = await listen(t, platform, { imports: [protectedBy()], controllers: [controller] })
  t.equal((await get(`${url}/r`, right)).said, '403 ERR_SCOPE_INSUFFICIENT')
})

t.test('a property of the instance in place of the method is no handler', async (t) => {
  const base = createController({ s: {} }) as new () => { helper: unknown }
  Object.defineProperty(base.prototype, 'helper', { value() {}, writable: true })
  class Orders extends base {
    override helper = undefined
  }
  Controller()(Orders)
  const url = await listen(t, platform, { imports: [protectedBy()], controllers: [Orders] })
  t.equal((await get(`${url}/s`)).said, '401 ERR_TOKEN_MISSING')
})

t.test('two instances of one class keep their bound handlers', async (t) => {
  const base = createController({ r: {} }) as new () => { r: () => string }
  class Bound extends base {
    constructor() {
      super()
      this.r = this.r.bind(this)
    }
  }
  Controller()(Bound)
  const imports = ['first', 'second'].map((path) => ({
    module: class FeatureModule {},
    controllers: [Bound],
    providers: [{ provide: 'path', useValue: path }],
  }))
  const url = await listen(t, platform, { imports: [protectedBy(), ...imports] })
  t.equal((await get(`${url}/r`, right)).said, '200')
})

/** A class whose methods override those of its base. */
function override(base: Class, name: string, decorators: ClassDecorator[] = []): Class {
  class Derived extends base {}
  Object.defineProperty(Derived.prototype, name, {
    value: () => 'in',
    writable: true,
    configurable: true,
  })
  decorateMethod(Derived, name, [Get(name)])
  for (const decorator of [Controller(), ...decorators]) decorator(Derived)
  return Derived
}

t.test('@Public of a class in between does not hide the requirement of its base', async (t) => {
  const base = createController({ r: {} }, [needsAdmin])
  class Open extends base {}
  Public()(Open)
  const url = await listen(t, platform, {
    imports: [protectedBy()],
    controllers: [override(Open, 'r')],
  })
  t.equal((await get(`${url}/r`, wrongScope)).said, '403 ERR_SCOPE_INSUFFICIENT')
})

t.test('@Public of a method in between does not hide the requirement of its base', async (t) => {
  const base = createController({ r: { decorators: [needsAdmin] } })
  const open = override(base, 'r')
  decorateMethod(open, 'r', [Public()])
  const url = await listen(t, platform, {
    imports: [protectedBy()],
    controllers: [override(open, 'r')],
  })
  t.equal((await get(`${url}/r`, wrongScope)).said, '403 ERR_SCOPE_INSUFFICIENT')
})

t.test('@Auth on a subclass protects the public methods that it inherits', async (t) => {
  const base = createController({ health: { decorators: [Public()] } })
  class Derived extends base {}
  Controller('derived')(Derived)
  needsAdmin(Derived)
  const url = await listen(t, platform, {
    imports: [protectedBy()],
    controllers: [base, Derived],
  })
  t.equal((await get(`${url}/health`)).said, '200')
  t.equal((await get(`${url}/derived/health`)).said, '401 ERR_TOKEN_MISSING')
  t.equal((await get(`${url}/derived/health`, right)).said, '403 ERR_SCOPE_INSUFFICIENT')
})
