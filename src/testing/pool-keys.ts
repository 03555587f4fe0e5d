/** The keys of one pool: which material it uses, under which key ids, and what it publishes. */
import { randomBytes } from 'node:crypto'
import { keyMaterial } from './key-material.ts'

/** A public key as Cognito publishes it, with exactly these members. */
export interface TestJwk {
  /** Standard base64, as Cognito's: `+`, `/` and `=` occur. */
  readonly kid: string
  readonly alg: 'RS256'
  readonly kty: 'RSA'
  readonly e: string
  readonly n: string
  readonly use: 'sig'
}

/** A public key set. The first key signs ID tokens, the second access tokens. */
export interface TestJwks {
  readonly keys: readonly TestJwk[]
}

/** Signs under a key id. */
export interface Signer {
  readonly kid: string
  readonly sign: (input: string) => string
}

/** Keys of one pool. Nothing here leads to a private key. */
export interface PoolKeys {
  /** Signs access tokens. */
  readonly access: () => Signer
  /** Signs ID tokens. */
  readonly id: () => Signer
  /** Other material under the access key's id. */
  readonly forger: () => Signer
  readonly published: () => TestJwks
  readonly rotate: (keepOld: boolean) => void
}

/** A key id and the place of its material in the ring; the material is made when it is used. */
interface Slot {
  readonly kid: string
  readonly index: number
}

/** A key id as Cognito's look: 32 random bytes, standard base64. */
export function randomKeyId(): string {
  return randomBytes(32).toString('base64')
}

/** The lowest places of the ring that none of `taken` uses: few keys serve any number of pools. */
function freeIndexes(count: number, taken: readonly Slot[]): number[] {
  const used = new Set(taken.map(({ index }) => index))
  const free: number[] = []
  for (let index = 0; free.length < count; index += 1) {
    if (!used.has(index)) free.push(index)
  }
  return free
}

function makePair(taken: readonly Slot[]): { id: Slot; access: Slot } {
  const [access, id] = freeIndexes(2, taken) as [number, number]
  return { id: { kid: randomKeyId(), index: id }, access: { kid: randomKeyId(), index: access } }
}

function toJwk({ kid, index }: Slot): TestJwk {
  const { e, n } = keyMaterial(index)
  return { kid, alg: 'RS256', kty: 'RSA', e, n, use: 'sig' }
}

function signer({ kid, index }: Slot): Signer {
  return { kid, sign: (input) => keyMaterial(index).sign(input) }
}

/** Keys for a new pool. Nothing is generated before it is used. */
export function createPoolKeys(): PoolKeys {
  let current = makePair([])
  let older: readonly Slot[] = []
  const slots = (): Slot[] => [current.id, current.access, ...older]

  return {
    access: () => signer(current.access),
    id: () => signer(current.id),
    forger: () => {
      const [index] = freeIndexes(1, slots()) as [number]
      return signer({ kid: current.access.kid, index })
    },
    published: () => ({ keys: slots().map(toJwk) }),
    rotate: (keepOld) => {
      const before = slots()
      current = makePair(before)
      older = keepOld ? before : []
    },
  }
}
