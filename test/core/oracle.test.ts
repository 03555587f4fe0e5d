/** Whatever is accepted here, jose and aws-jwt-verify accept too: stricter, never looser. */
import { mock } from 'node:test'
import { CognitoJwtVerifier } from 'aws-jwt-verify'
import { jwtVerify } from 'jose'
import t from 'tap'
import {
  type Changes,
  CLIENT,
  encode,
  ISSUER,
  jwk,
  KID,
  keyPair,
  machineClaims,
  NOW,
  outcome,
  POOL,
  seeded,
  serve,
  signed,
  UPDATED_ISSUER,
} from '../support/forge.ts'

const guard = serve().guard()
const aws = CognitoJwtVerifier.create({
  userPoolId: POOL,
  tokenUse: 'access',
  clientId: CLIENT,
  graceSeconds: 5,
})
aws.cacheJwks({ keys: [jwk()] } as unknown as Parameters<typeof aws.cacheJwks>[0])

async function joseAccepts(token: string): Promise<boolean> {
  return jwtVerify(token, keyPair().publicKey, {
    algorithms: ['RS256'],
    issuer: [ISSUER, UPDATED_ISSUER],
    clockTolerance: 5,
    currentDate: new Date(NOW * 1000),
    requiredClaims: ['exp', 'iat', 'sub'],
  }).then(
    () => true,
    () => false,
  )
}

function awsAccepts(token: string): boolean {
  mock.timers.enable({ apis: ['Date'], now: NOW * 1000 })
  try {
    aws.verifySync(token)
    return true
  } catch {
    return false
  } finally {
    mock.timers.reset()
  }
}

const tally = { accepted: 0, refused: 0, stricter: 0 }

/** The disagreement, if this package has the loosest verdict of the three. */
async function looser(token: string): Promise<string | undefined> {
  const ours = (await outcome(guard, `Bearer ${token}`)) === 'accepted'
  const [jose, cognito] = [await joseAccepts(token), awsAccepts(token)]
  if (ours) tally.accepted += 1
  else tally.refused += 1
  if (!ours && jose && cognito) tally.stricter += 1
  return ours && !(jose && cognito)
    ? `jose: ${jose}, aws-jwt-verify: ${cognito}: ${token}`
    : undefined
}

const HEADERS: readonly Changes[] = [
  {},
  { typ: 'JWT' },
  { typ: 'at+jwt' },
  { typ: 5 },
  { b64: false },
  { cty: 'JWT', zip: 'DEF' },
  { alg: 'RS512' },
  { alg: 'none' },
  { alg: undefined },
  { kid: 'other' },
  { kid: undefined },
  { kid: 5 },
  { crit: ['b64'], b64: true },
  { crit: [] },
  { jwk: { kty: 'RSA' }, jku: 'https://evil.example' },
]

const TIMES = [NOW - 6, NOW - 5, NOW - 4.5, NOW, NOW + 5, NOW + 6, NOW + 301, 1e300, -1, 0]
const odd = [null, '', 'x', 5, true, [], [CLIENT], {}]
const CLAIMS: readonly Changes[] = [
  {},
  { iss: UPDATED_ISSUER },
  ...TIMES.flatMap((at) => [{ exp: at }, { nbf: at }, { iat: at }]),
  ...['exp', 'nbf', 'iat', 'iss', 'sub', 'client_id', 'token_use', 'scope', 'aud', 'jti'].flatMap(
    (claim) => [...odd, undefined].map((value) => ({ [claim]: value })),
  ),
  { aud: CLIENT },
  { token_use: 'id', aud: CLIENT },
  { username: 'a' },
  { sub: 'a', username: 'a' },
  { scope: 'a/x  a/y' },
  { scope: 'a/x\ta/y' },
  { 'cognito:groups': ['a'], version: '2', tenant: { deep: [[]] } },
]

t.test('over headers and claims', async (t) => {
  for (const header of HEADERS) {
    for (const claims of CLAIMS.filter((_, index) => header === HEADERS[0] || index % 9 === 0)) {
      const token = signed({ kid: KID, alg: 'RS256', ...header }, machineClaims(claims))
      t.equal(await looser(token), undefined)
    }
  }
})

t.test('over spellings of one payload', async (t) => {
  const text = JSON.stringify(machineClaims())
  const inside = text.slice(1)
  const payloads = [
    text,
    ` ${text}\n`,
    JSON.stringify(machineClaims(), null, 2),
    `{"exp":1,${inside}`,
    `{"client_id":"other",${inside}`,
    `{"a":{"b":1,"b":2},${inside}`,
    `{"__proto__":{"username":"a"},${inside}`,
    `{"constructor":1,${inside}`,
    `{"\\u0065xp":1,${inside}`,
    `{"a":${'['.repeat(31)}${']'.repeat(31)},${inside}`,
    `{"a":${'['.repeat(32)}${']'.repeat(32)},${inside}`,
    `\ufeff${text}`,
    text.replace('"exp":', '"exp":1e999,"x":'),
    text.replace(`"exp":${NOW + 3600}`, `"exp":${NOW + 3600}.0`),
    text.replace(`"exp":${NOW + 3600}`, '"exp":17e8'),
    Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff, 0xc0]), Buffer.from(`",${inside}`)]),
    `[${text}]`,
    `${text}${text}`,
  ]
  for (const payload of payloads) {
    t.equal(await looser(signed({ kid: KID, alg: 'RS256' }, payload)), undefined)
    t.equal(await looser(signed(`{"alg":"RS256","kid":"${KID}","x":1}`, payload)), undefined)
  }
  t.equal(await looser(signed(`{"alg":"none","alg":"RS256","kid":"${KID}"}`, text)), undefined)
})

t.test('over spellings of one token', async (t) => {
  const token = signed({ kid: KID, alg: 'RS256' }, machineClaims())
  const [head, body, tail] = token.split('.') as [string, string, string]
  const bytes = Buffer.from(tail, 'base64url')
  const tails = ['', `${tail}=`, `${tail}==`, `${tail}.`, ` ${tail}`, bytes.toString('base64')]
  const lengths = [bytes.subarray(1), Buffer.concat([Buffer.alloc(1), bytes]), Buffer.alloc(256)]
  for (const last of [...tails, ...lengths.map((it) => encode(it))]) {
    t.equal(await looser(`${head}.${body}.${last}`), undefined)
  }
  const random = seeded(3)
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/. '
  for (let round = 0; round < 300; round += 1) {
    const at = round < 64 ? token.length - 1 : random(token.length)
    const character = alphabet[round < 64 ? round : random(alphabet.length)] as string
    const changed = `${token.slice(0, at)}${character}${token.slice(at + 1)}`
    t.equal(await looser(changed), undefined)
  }
})

t.test('the generated cases include accepted and rejected tokens', async (t) => {
  t.ok(tally.accepted > 50, `${tally.accepted} accepted`)
  t.ok(tally.refused > 300, `${tally.refused} refused`)
  t.ok(tally.stricter > 30, `${tally.stricter} refused here alone`)
})
