/** docs/verification.md: its order of the checks is that of a guard, and its tables have every claim. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { listClaimFailures } from '../../src/core/token/claims.ts'
import { createResourceServer } from '../../src/index.ts'
import { createTestUserPool } from '../../src/testing/index.ts'

const page = readFileSync('docs/verification.md', 'utf8')
/** The codes of each step. */
const steps = [...page.matchAll(/^\| (\d+) \| [^|]+ \| ([^|]+) \|$/gm)].map(
  ([, number, codes = '']) => ({
    number: Number(number),
    codes: [...codes.matchAll(/`(\w+)`/g)].map(([, code]) => code),
  }),
)

const pool = createTestUserPool({ clients: [{ clientId: 'billing', scopes: ['orders/read'] }] })
const other = createTestUserPool()

/** Claims that fail a step, by its number. */
const CLAIMS: Readonly<Record<number, object>> = {
  6: { iss: other.issuer },
  7: { token_use: 'id' },
  8: { jti: 5 },
  9: { username: 'somebody' },
  10: { aud: 'https://other.example.com' },
  11: { exp: 1 },
  12: { client_id: 'unknown', sub: 'unknown' },
}

/** A token that fails a step and every later step that a token can fail. */
function createToken(step: number): string {
  const claims = Object.assign(
    {},
    ...Object.entries(CLAIMS)
      .filter(([number]) => Number(number) >= step)
      .map(([, it]) => it),
  )
  const header = step <= 5 ? { crit: ['exp'] } : step <= 13 ? { kid: 'unknown' } : {}
  const token = pool.accessToken({ claims, header, scopes: 'orders/write' })
  // Canonical base64url of another token: it has the form of a signature, and does not verify.
  const signature = pool.accessToken().split('.')[2] ?? ''
  const signed = step <= 14 ? token.replace(/[^.]+$/, signature) : token
  return step <= 4 ? `${signed}=` : signed
}

function createCredential(step: number): string | string[] {
  const long = 'A'.repeat(9000)
  if (step === 1) return [`Basic ${long}`, `Bearer ${long}`]
  if (step === 2) return `Basic ${long}`
  return step === 3 ? `Bearer ${long}=` : `Bearer ${createToken(step)}`
}

/** Options and requirement in which every step from this one on fails. */
function createGuard(step: number) {
  const clientId = step <= 12 ? ['billing'] : step <= 15 ? () => false : ['billing']
  const server = createResourceServer({ ...pool.options(), clientId, check: () => false })
  const requirement = step <= 16 ? 'orders/read' : 'orders/write'
  const client = step <= 17 ? { clientId: 'another' } : {}
  return server.guard({ scopes: requirement, ...client })
}

t.test('the first step that fails decides, in the order of the page', async (t) => {
  t.strictSame(
    steps.map(({ number }) => number),
    Array.from({ length: 18 }, (_, index) => index + 1),
  )
  for (const { number, codes } of steps) {
    const thrown = await createGuard(number)(createCredential(number)).then(
      () => ({ code: undefined }),
      (error: { readonly code: string }) => error,
    )
    t.ok(codes.includes(thrown.code), `step ${number}: ${thrown.code}, the page has ${codes}`)
  }
})

t.test('the table of claims has every claim that is checked', (t) => {
  const rules = {
    machinesOnly: true,
    audience: undefined,
    clientIds: new Set(['billing']),
    clockTolerance: 5,
  }
  const wrong = { nbf: 'later', scope: 5, aud: 5, username: 'somebody' }
  const [, table = ''] = page.split('## Claims\n')
  for (const { claim } of listClaimFailures(wrong, rules, Date.now())) {
    t.match(table, `\n| \`${claim}\` |`, claim)
  }
  t.end()
})
