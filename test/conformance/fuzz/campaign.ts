/** Runs many variants against three verifiers: counts accepted ones, and shrinks the first fault. */
import fc from 'fast-check'
import { variants } from './arbitraries.ts'
import { type Judgement, judge } from './compare-verdicts.ts'
import { forge } from './forging.ts'
import type { Judges } from './oracles.ts'
import type { Rule } from './rules.ts'
import type { Variant } from './variant.ts'

export interface Campaign {
  readonly judges: Judges
  readonly rules: readonly Rule[]
  readonly seed: number
  readonly runs: number
}

/** The smallest variant with a wrong verdict. */
export interface Finding {
  readonly variant: Variant
  readonly judgement: Judgement | undefined
  /** The value thrown, if there is no verdict. */
  readonly error: unknown
}

export interface Outcome {
  /** Variants verified before the first fault, if there was one. */
  readonly runs: number
  readonly acceptedBySomebody: number
  /** By who accepts: core, aws-jwt-verify, jose. */
  readonly matrix: ReadonlyMap<string, number>
  /** Refusals by core alone, by the rule that explains them. */
  readonly byRule: ReadonlyMap<string, number>
  readonly finding: Finding | undefined
}

export async function run({ judges, rules, seed, runs }: Campaign): Promise<Outcome> {
  const matrix = new Map(rows().map((row) => [row, 0]))
  const byRule = new Map(rules.map(({ name }) => [name, 0]))
  let judged = 0
  let faultless = true
  const property = fc.asyncProperty(variants, async (variant) => {
    const { verdicts, rule, fault } = await judge(forge(variant), judges, rules)
    faultless &&= fault === undefined
    // Runs after a fault are those that shrink it.
    if (!faultless) return fault === undefined
    judged += 1
    count(matrix, row(verdicts.core === 'accepted', verdicts.aws, verdicts.jose))
    if (rule !== undefined) count(byRule, rule)
    return true
  })
  const details = await fc.check(property, { seed, numRuns: runs })
  const nobody = matrix.get(row(false, false, false)) as number
  const outcome = { runs: judged, acceptedBySomebody: judged - nobody, matrix, byRule }
  if (!details.failed) return { ...outcome, finding: undefined }
  const [variant] = details.counterexample as [Variant]
  const judgement = await judge(forge(variant), judges, rules).catch(() => undefined)
  return { ...outcome, finding: { variant, judgement, error: details.errorInstance } }
}

function row(core: boolean, aws: boolean, jose: boolean): string {
  const word = (accepts: boolean) => (accepts ? 'yes' : 'no ')
  return `core ${word(core)}  aws ${word(aws)}  jose ${word(jose)}`
}

function rows(): string[] {
  const either = [true, false]
  return either.flatMap((core) =>
    either.flatMap((aws) => either.map((jose) => row(core, aws, jose))),
  )
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
