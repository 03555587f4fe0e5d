/**
 * Chooses the cases of a large matrix that `npm test` runs: at least one of every kind. With `TEST_ALL=1`, all of them.
 * The choice depends on names alone, so every run of a commit makes the same one.
 */

/** Whether this is `npm run test:all`. */
export const isComplete = process.env['TEST_ALL'] === '1'

/**
 * @param name Of the matrix; two matrices of the same form choose different examples of a kind.
 * @param kindsOf What a case is an example of: values of its dimensions, or pairs of them ({@link pairsOf}).
 * @returns In their order, all cases or a small set that has every kind.
 */
export function sample<Case>(
  name: string,
  cases: readonly Case[],
  kindsOf: (one: Case) => readonly string[],
): readonly Case[] {
  const chosen = isComplete ? cases : coverKinds(name, cases, kindsOf)
  report(name, chosen.length, cases.length)
  return chosen
}

/** How many random inputs to make. `override` is the value of an environment variable that repeats or extends a run. */
export function sampleSize(
  name: string,
  { complete, sampled }: { readonly complete: number; readonly sampled: number },
  override?: string,
): number {
  const size = Number(override || (isComplete ? complete : sampled))
  report(name, size, Math.max(size, complete))
  return size
}

/** Every pair of values of two dimensions: what a case of a product of several dimensions is an example of. */
export function pairsOf(values: readonly string[]): string[] {
  return values.flatMap((value, first) =>
    values.slice(first + 1).map((other, second) => {
      return JSON.stringify([first, value, first + 1 + second, other])
    }),
  )
}

/** Greedy set cover. Among equally good cases a hash of name and position decides, so that choices spread. */
export function coverKinds<Case>(
  name: string,
  cases: readonly Case[],
  kindsOf: (one: Case) => readonly string[],
): readonly Case[] {
  const candidates = cases.map((one, index) => {
    return { index, kinds: [...new Set(kindsOf(one))], rank: hash(`${name} ${index}`) }
  })
  candidates.sort((a, b) => a.rank - b.rank)
  const missing = new Set(candidates.flatMap(({ kinds }) => kinds))
  const chosen = new Set<number>()
  while (missing.size > 0) {
    let best = -1
    let most = 0
    for (const { index, kinds } of candidates) {
      const count = kinds.filter((kind) => missing.has(kind)).length
      if (count <= most) continue
      most = count
      best = index
    }
    chosen.add(best)
    for (const kind of kindsOf(cases[best] as Case)) missing.delete(kind)
  }
  return cases.filter((_, index) => chosen.has(index))
}

/** FNV-1a with a final mix: names that differ in the last digit alone are far apart. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (const character of text)
    value = Math.imul(value ^ (character.codePointAt(0) as number), 0x01000193)
  value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d)
  return (value ^ (value >>> 13)) >>> 0
}

/** Says on stderr what a sample leaves out. */
function report(name: string, ran: number, all: number): void {
  if (ran < all) process.stderr.write(`sampled: ${ran} of ${all}, ${name}\n`)
}
