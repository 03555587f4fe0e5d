/** The limits and numeric defaults that the TSDoc of options states are those that their readers enforce. */
import t from 'tap'
import { readOptions } from '../../src/core/options/options.ts'
import { readClientOptions } from '../../src/tokens/client/options.ts'
import { readProxyOptions } from '../../src/tokens/proxy/options.ts'
import { memoryStore } from '../../src/tokens/store/memory-store.ts'
import { memoryUsageStore } from '../../src/tokens/usage/store/memory.ts'
import { readOptionTypes } from '../support/option-types.ts'

type Value = Readonly<Record<string, number>>

const POOL = { userPoolId: 'eu-west-1_AbCdEfGhI', clientId: null }
const ENDPOINT = 'https://shop.auth.eu-west-1.amazoncognito.com/oauth2/token'
const CLIENT = { tokenEndpoint: ENDPOINT, clientId: 'billing', clientSecret: 'secret' }

/** A type, what reads it, and the value of a numeric option after validation, in the unit of the option. */
interface Surface {
  readonly type: string
  readonly read: (value: Value) => unknown
  readonly effective?: (name: string) => unknown
}

const fromMs = (value: unknown): number => Number(value) / 1000

const SURFACES: readonly Surface[] = [
  {
    type: 'CommonOptions',
    read: (value) => readOptions({ ...POOL, ...value }),
    effective: (name) => Reflect.get(readOptions(POOL), name),
  },
  {
    type: 'KeyStoreOptions',
    read: (value) => readOptions({ ...POOL, keyStore: value }),
    effective: (name) => fromMs(Reflect.get(readOptions(POOL).timing, `${name}Ms`)),
  },
  {
    type: 'TokenClientOptions',
    read: (value) => readClientOptions({ ...CLIENT, ...value }),
    effective: (name) => fromMs(Reflect.get(readClientOptions(CLIENT), `${name}Ms`)),
  },
  {
    type: 'TokenProxyOptions',
    read: (value) => readProxyOptions({ tokenEndpoint: ENDPOINT, ...value }),
    effective: (name) => {
      const { limits, timeoutMs } = readProxyOptions({ tokenEndpoint: ENDPOINT })
      return name === 'timeout' ? fromMs(timeoutMs) : Reflect.get(limits, name)
    },
  },
  {
    type: 'UpstreamLimits',
    read: (value) => readProxyOptions({ tokenEndpoint: ENDPOINT, upstream: value }),
    effective: (name) => Reflect.get(readProxyOptions({ tokenEndpoint: ENDPOINT }).quota, name),
  },
  { type: 'MemoryStoreOptions', read: (value) => memoryStore(value) },
  { type: 'MemoryUsageStoreOptions', read: (value) => memoryUsageStore(value) },
]

const toNumber = (text: string): number => Number(text.replaceAll(/[,_]/g, ''))

/** `from 1 to 20,000`, or `At most 300`. */
function readLimits(
  description: string,
): readonly [min: number | undefined, max: number] | undefined {
  const range = /\bfrom ([\d.,]+) to ([\d,]+)\b/i.exec(description)
  if (range !== null) return [toNumber(range[1] ?? ''), toNumber(range[2] ?? '')]
  const most = /\bAt most ([\d,]+)/.exec(description)
  return most === null ? undefined : [undefined, toNumber(most[1] ?? '')]
}

const types = readOptionTypes()

for (const { type, read, effective } of SURFACES) {
  t.test(`${type}: limits and defaults`, async (t) => {
    for (const { name, description, defaultValue } of types.read(type)) {
      const [, number] = /^`?([\d,_]+)`?(?: |$)/.exec(defaultValue ?? '') ?? []
      if (number !== undefined && effective !== undefined && !number.endsWith(',')) {
        const value = effective(name)
        if (typeof value === 'number') t.equal(value, toNumber(number), `default of ${name}`)
      }
      const limits = readLimits(description)
      if (limits === undefined) continue
      const [min, max] = limits
      t.doesNotThrow(() => read({ [name]: max }), `${name}: ${max}`)
      t.throws(() => read({ [name]: max + 1 }), new RegExp(`\\b${name}: expected`), `${max + 1}`)
      if (min === undefined) continue
      t.doesNotThrow(() => read({ [name]: min }), `${name}: ${min}`)
      t.throws(() => read({ [name]: min - 1 }), new RegExp(`\\b${name}: expected`), `${min - 1}`)
    }
  })
}
