/** The table of outages: how each is made, and what the store says of it. Both matrices run over it. */
import type { JwksErrorCode } from '../../../src/core/keys/fetch-jwks.ts'
import type { JwksFault, JwksHandler, LocalUserPool } from '../../../src/testing/index.ts'
import {
  body,
  bomb,
  drippingHeaders,
  ENCODERS,
  earlyHintsForEver,
  endlessHeaders,
  json,
  status,
} from './endpoint-responses.ts'
import { openLure } from './redirect-target.ts'
import { unusable, unusableKeySet } from './unusable-keys.ts'

/** Where a fault is put into force. */
export interface Site {
  readonly pool: LocalUserPool
  teardown(handler: () => unknown): unknown
}

/** A URL is where a transport goes in place of the pool, while the fault lasts. */
export type Failure = JwksFault | JwksHandler | URL

/** One row. */
export interface Fault {
  readonly name: string
  /** What `status().lastError` says. */
  readonly code: JwksErrorCode
  make(site: Site): Failure | Promise<Failure>
}

/** A link-local address as cloud metadata services have it: what a redirect must not reach. */
export const PRIVATE_ADDRESS = 'http://169.254.169.254'

/** Longer than a label may be, so the resolver refuses it without asking any network. */
const NO_NAME = `https://${'x'.repeat(64)}.invalid/jwks.json`

function rows(code: JwksErrorCode, made: Readonly<Record<string, Failure>>): Fault[] {
  return Object.entries(made).map(([name, failure]) => ({ name, code, make: () => failure }))
}

const redirects = [301, 302, 303, 307, 308].map(
  (code): Fault => ({
    name: `${code} to a good key set elsewhere`,
    code: 'ERR_JWKS_REDIRECT',
    make: async (site) => status(code, { location: (await openLure(site)).href }),
  }),
)

const transport: readonly Fault[] = [
  ...rows('ERR_JWKS_NETWORK', {
    'connections refused': 'refuse',
    'connections reset': 'reset',
    'a name that does not resolve': new URL(NO_NAME),
    'an answer that breaks off': 'truncated',
    'headers without end': endlessHeaders,
    'gzip that is none': body('{"keys":[]}', { 'content-encoding': 'gzip' }),
  }),
  {
    name: 'a certificate nobody vouches for',
    code: 'ERR_JWKS_NETWORK',
    make: (site) => openLure(site, 'https'),
  },
  ...rows('ERR_JWKS_TIMEOUT', {
    'no answer': 'hang',
    'a body in drips': 'drip',
    'headers in drips': drippingHeaders,
    'hints and no answer': earlyHintsForEver,
  }),
]

const refusals: readonly Fault[] = [
  ...rows('ERR_JWKS_STATUS', {
    '500': '500',
    '503 with Retry-After': '503',
    '429': '429',
    '204': status(204),
    '401': status(401, { 'www-authenticate': 'Basic' }),
    '403': status(403),
    '404': status(404),
  }),
  ...redirects,
  ...rows('ERR_JWKS_REDIRECT', {
    'a redirect into the server itself': 'redirect',
    'a redirect to a private address': status(302, { location: `${PRIVATE_ADDRESS}/latest/` }),
    'a redirect to nowhere': status(302),
    '304': status(304),
  }),
]

const contents: readonly Fault[] = [
  ...rows('ERR_JWKS_INVALID', {
    'a web page': 'garbage',
    'an empty body': body(''),
    'bytes that are no text': body(Buffer.from([0xff, 0xfe, 0x00, 0xd8])),
  }),
  {
    name: 'half a document of the right length',
    code: 'ERR_JWKS_INVALID',
    make: ({ pool }) => {
      const text = JSON.stringify(pool.jwks())
      return body(text.slice(0, text.length / 2))
    },
  },
  ...rows('ERR_JWKS_NO_USABLE_KEY', {
    'an array': json([]),
    'a string': json('keys'),
    null: json(null),
    'a number': json(5),
    'an object without keys': json({ hello: 1 }),
    'keys that are an object': json({ keys: {} }),
    'keys that are a string': json({ keys: 'abc' }),
    'keys that are null': json({ keys: null }),
    'a list 100,000 deep': body(`{"keys":${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
    'an empty set': 'empty',
    'weak keys under the kids of the pool': 'weak',
  }),
  ...Object.keys(unusable).map(
    (why): Fault => ({
      name: `nothing but ${why}`,
      code: 'ERR_JWKS_NO_USABLE_KEY',
      make: ({ pool }) => json(unusableKeySet(why, pool)),
    }),
  ),
  {
    name: 'the keys themselves in place of a set',
    code: 'ERR_JWKS_NO_USABLE_KEY',
    make: ({ pool }) => json(pool.jwks().keys),
  },
]

const sizes: readonly Fault[] = [
  ...rows('ERR_JWKS_TOO_LARGE', {
    '50 MB': 'huge',
    '50 MB in 50 KB of gzip': 'bomb',
  }),
  ...ENCODERS.map(
    (encoder): Fault => ({
      name: `4 MB of blanks in ${encoder}`,
      code: 'ERR_JWKS_TOO_LARGE',
      make: () => bomb(encoder),
    }),
  ),
]

export const faults: readonly Fault[] = [...transport, ...refusals, ...contents, ...sizes]
