/**
 * Core, aws-jwt-verify and jose verify the same variants of valid tokens. A token that core accepts, both
 * libraries accept. A token that both accept, core accepts too, unless a rule of the design rejects it.
 *
 * FUZZ_RUNS and FUZZ_SEED change how many, and repeat a run.
 */
import { randomInt } from 'node:crypto'
import t, { type Test } from 'tap'
import { sampleSize } from '../../support/sample.ts'
import { run } from './campaign.ts'
import { judge } from './compare-verdicts.ts'
import { PAST_FINDINGS } from './findings.ts'
import { forge } from './forging.ts'
import { type Judges, judges, judgesOfUsers, stopClock } from './oracles.ts'
import { RULES, RULES_FOR_USERS, type Rule } from './rules.ts'

const RUNS = sampleSize(
  'fuzzed tokens',
  { complete: 100_000, sampled: 4000 },
  process.env['FUZZ_RUNS'],
)
const seed = Number(process.env['FUZZ_SEED'] || randomInt(2 ** 31))
/** Fewer than this may by chance leave a rule out. */
const ENOUGH_FOR_EVERY_RULE = 20_000

t.teardown(stopClock())

t.test('past findings', async (t) => {
  for (const { why, verdicts, ...variant } of PAST_FINDINGS) {
    const judgement = await judge(forge(variant), judges, RULES)
    t.strictSame(judgement.verdicts, verdicts, why)
    t.equal(judgement.fault, undefined, `${why}: as the rules say`)
  }
})

async function campaign(t: Test, judges: Judges, rules: readonly Rule[], runs: number) {
  t.comment(`FUZZ_SEED=${seed} FUZZ_RUNS=${RUNS}`)
  const { finding, matrix, byRule, ...outcome } = await run({ judges, rules, seed, runs })
  for (const [who, times] of matrix) t.comment(`${who}  ${times}`)
  for (const [rule, times] of byRule) t.comment(`core alone refuses, ${rule}: ${times}`)
  if (finding !== undefined) t.comment(`for findings.ts: ${JSON.stringify(finding.variant)}`)
  t.equal(finding, undefined, 'no fault')
  t.equal(outcome.runs, runs, 'all were judged')
  t.ok(outcome.acceptedBySomebody / runs >= 0.2, 'somebody accepts one in five')
  const unused = [...byRule].filter(([, times]) => times === 0).map(([rule]) => rule)
  if (runs >= ENOUGH_FOR_EVERY_RULE) t.strictSame(unused, [], 'every rule explained something')
}

t.test('variants, where machines alone are let in', (t) => campaign(t, judges, RULES, RUNS))

t.test('fewer, where users are let in', (t) => {
  return campaign(t, judgesOfUsers, RULES_FOR_USERS, Math.ceil(RUNS / 10))
})
