import t from 'tap'
import { type Conditions, explain } from '../../../../src/cli/commands/explain/command.ts'
import { extractToken } from '../../../../src/cli/commands/explain/decode.ts'
import { run as campaign } from '../../../conformance/fuzz/campaign.ts'
import { OTHER_CLIENT } from '../../../conformance/fuzz/forging.ts'
import { judges, stopClock } from '../../../conformance/fuzz/oracles.ts'
import { RULES } from '../../../conformance/fuzz/rules.ts'
import { jwks as fuzzKeys } from '../../../conformance/fuzz/signing.ts'
import { acceptedCases, hostileCases } from '../../../conformance/hostile/cases.ts'
import type { DoorName } from '../../../conformance/hostile/hostile-case.ts'
import { SCOPE } from '../../../conformance/hostile/options.ts'
import { weakKeySet } from '../../../conformance/hostile/weak-keys.ts'
import { KEYS_URL, keySet, network, UPDATED_URL } from '../../../support/explained.ts'
import { CLIENT, NOW, outcome, POOL, serve } from '../../../support/forge.ts'
import { isComplete, sample, sampleSize } from '../../../support/sample.ts'
import { testTerminal } from '../../../support/terminal.ts'

const good = { keys: keySet, conditions: {} }
/** What the options of a door are here. */
const doors: Readonly<Record<DoorName, { keys: object; conditions: Partial<Conditions> }>> = {
  plain: good,
  scoped: { ...good, conditions: { scopes: [SCOPE] } },
  large: good,
  fetched: good,
  weak: { ...good, keys: weakKeySet() },
}
/** Tokens with one flipped bit are similar, so one of this many is tested. */
const BITS = 8

const base: Conditions = {
  pool: POOL,
  clientIds: [CLIENT],
  subjects: 'machine',
  audience: undefined,
  scopes: [],
  clockTolerance: 5,
  now: NOW * 1000,
}

/** Every code that a check has, in their order. */
const codesOf = (checks: readonly { readonly code?: string }[]) =>
  checks.flatMap(({ code }) => code ?? [])

t.test('every hostile token: explained with the response of the middleware', async (t) => {
  const wrongOnes: unknown[] = []
  let asked = 0
  let bits = 0
  const plain = serve({}).guard()
  const guards = {
    plain,
    large: plain,
    fetched: plain,
    scoped: serve({}).guard({ scopes: SCOPE }),
    weak: serve({ jwks: weakKeySet() }).guard(),
  }
  const all = [...hostileCases(9), ...acceptedCases(9).map((it) => ({ ...it, code: undefined }))]
  const cases = sample('explained tokens', all, ({ door, code, clause, field, mutation }) => [
    `${door} ${code}`,
    `${clause} ${field} ${code}`,
    code === undefined ? `accepted ${mutation}` : `${door} ${clause}`,
  ])
  for (const { authorization, door, code, clause, field, mutation } of cases) {
    if (typeof authorization !== 'string' || !authorization.startsWith('Bearer ')) continue
    const text = authorization.slice('Bearer '.length)
    const given = extractToken(text)
    if (given.token === '') continue
    if (field.endsWith(' bit') && bits++ % BITS > 0) continue
    const { keys, conditions } = doors[door]
    const { fetch } = network({ [KEYS_URL]: () => Response.json(keys) })
    const told = await explain(given, { ...base, ...conditions }, testTerminal({ fetch }))
    const answered = await outcome(guards[door] as never, `Bearer ${given.token}`)
    const seen = [told.answer?.code ?? 'accepted', codesOf(told.checks)[0] ?? 'accepted']
    const isAsGiven = given.token === text && door !== 'large'
    const should = isAsGiven ? (code ?? 'accepted') : answered
    asked += 1
    const isTold = told.checks.every(({ message }) => message !== '')
    if (answered !== should || !isTold || seen.some((it) => it !== should)) {
      wrongOnes.push({ clause, field, mutation, should, answered, seen })
    }
  }
  t.comment(`${asked} tokens`)
  t.ok(asked > (isComplete ? 400 : 100))
  t.strictSame(wrongOnes, [])
})

t.test('generated tokens: explained with the response of the middleware', async (t) => {
  const answer = () => Response.json(fuzzKeys)
  const { fetch } = network({ [KEYS_URL]: answer, [UPDATED_URL]: answer })
  const conditions = {
    ...base,
    clientIds: [CLIENT, OTHER_CLIENT],
  }
  t.teardown(stopClock())
  const codes = new Map<string, number>()
  const core: typeof judges.core = async (token) => {
    const answer = await judges.core(token)
    if (extractToken(token).token !== token || token === '') return answer
    const should = typeof answer === 'string' ? answer : 'accepted'
    const told = await explain({ token, notes: [] }, conditions, testTerminal({ fetch }))
    const seen = [told.answer?.code ?? 'accepted', codesOf(told.checks)[0] ?? 'accepted']
    codes.set(should, (codes.get(should) ?? 0) + 1)
    if (seen.some((it) => it !== should)) throw new Error(`${should}, explained as ${seen}`)
    return answer
  }
  const { finding } = await campaign({
    judges: { ...judges, core },
    rules: RULES,
    seed: 7,
    runs: sampleSize('generated tokens, explained', { complete: 400, sampled: 150 }),
  })
  t.equal(finding?.error, undefined)
  t.ok(codes.size >= 5, [...codes.keys()].join(' '))
})
