/** The campaign can fail: each fault that it searches for is injected and found. */
import t from 'tap'
import { type Finding, run } from './campaign.ts'
import { type CoreAnswer, type Judges, judges, stopClock } from './oracles.ts'
import { readToken } from './reading.ts'
import { RULES } from './rules.ts'

const RUNS = 800
const SEED = 1

t.teardown(stopClock())

/** Runs the campaign with a core that returns another verdict. */
function withCore(change: (answer: CoreAnswer, token: string) => CoreAnswer): Judges {
  return { ...judges, core: async (token) => change(await judges.core(token), token) }
}

/** What a handler would get of a token core refuses. */
function waved(token: string): CoreAnswer {
  const { claims } = readToken(token)
  const { client_id, sub, iss, exp, scope } = claims
  const scopes = new Set(typeof scope === 'string' ? scope.split(' ').filter(Boolean) : [])
  const made = { clientId: client_id, subject: sub, issuer: iss, expiresAt: exp, scopes, claims }
  return made as unknown as CoreAnswer
}

async function found(judges: Judges, rules = RULES): Promise<Finding | undefined> {
  const { finding } = await run({ judges, rules, seed: SEED, runs: RUNS })
  return finding
}

t.test('there is nothing to find in these variants as they are', async (t) => {
  t.equal(await found(judges), undefined)
})

t.test('a core that forgets a check the libraries have', async (t) => {
  for (const code of [
    ...['ERR_TOKEN_SIGNATURE', 'ERR_KEY_UNKNOWN', 'ERR_TOKEN_EXPIRED', 'ERR_TOKEN_ISSUER'],
    'ERR_CLIENT_NOT_ALLOWED',
  ]) {
    const forgetful = withCore((answer, token) => (answer === code ? waved(token) : answer))
    const finding = await found(forgetful)
    t.equal(finding?.judgement?.fault, 'looser', code)
    t.ok((finding?.variant.edits.length ?? 9) <= 1, `${code}: shrunk to what matters`)
  }
})

const OFTEN_USED = [
  'padded base64url',
  'duplicate member',
  'crit',
  'scope not well-formed',
  'username',
]

t.test('a core that forgets a rule of its own', async (t) => {
  for (const name of OFTEN_USED) {
    const core = async (token: string) => {
      const answer = await judges.core(token)
      const alone = judges.aws(token) !== undefined && (await judges.jose(token)) !== undefined
      if (typeof answer !== 'string' || !alone) return answer
      const reading = readToken(token)
      const forgotten = RULES.every((rule) => rule.name === name || !rule.refuses(reading))
      return forgotten ? waved(token) : answer
    }
    t.equal((await found({ ...judges, core }))?.judgement?.fault, 'lax', name)
  }
})

t.test('a refusal no rule explains', async (t) => {
  for (const name of OFTEN_USED) {
    const finding = await found(
      judges,
      RULES.filter((rule) => rule.name !== name),
    )
    t.match(finding?.judgement?.fault, /^(unexplained|other code)$/, name)
  }
  const picky = withCore((answer) => (typeof answer === 'string' ? answer : 'ERR_TOKEN_INVALID'))
  const finding = await found(picky)
  t.equal(finding?.judgement?.fault, 'unexplained')
  t.strictSame(finding?.variant, { base: 'machine', edits: [], signature: 'right' })
})

t.test('a refusal with the code of something else', async (t) => {
  const mumbling = withCore((answer) => (answer === 'ERR_TOKEN_USE' ? 'ERR_TOKEN_ISSUER' : answer))
  t.equal((await found(mumbling))?.judgement?.fault, 'other code')
})

t.test('a token that is understood differently', async (t) => {
  for (const change of [{ clientId: 'x' }, { scopes: new Set(['admin']) }, { claims: {} }]) {
    const wrong = withCore((answer) =>
      typeof answer === 'string' ? answer : ({ ...answer, ...change } as CoreAnswer),
    )
    t.equal((await found(wrong))?.judgement?.fault, 'different claims', Object.keys(change).join())
  }
})

t.test('no verdict at all', async (t) => {
  const lost = withCore((answer) =>
    answer === 'ERR_KEY_UNKNOWN' ? 'ERR_KEYS_UNAVAILABLE' : answer,
  )
  t.equal((await found(lost))?.judgement?.fault, 'no verdict')
  const crashing = withCore((answer) => {
    if (answer === 'ERR_TOKEN_INVALID') throw new RangeError('core crashed')
    return answer
  })
  const finding = await found(crashing)
  t.match(String(finding?.error), /core crashed/)
})
