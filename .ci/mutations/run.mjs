/** Plants every mistake in every unit, and counts which of them `checkScopes` finds. */
import { KINDS, listMistakes } from './kinds.mjs'
import { getLine } from './text.mjs'
import { checkUnit, readUnits, UNITS_PATH } from './units.mjs'

/** The share of mistakes that must be found. */
export const TARGET = 0.95

/**
 * Runs all mutants, or those of every nth unit.
 *
 * @returns The counts of each kind, missed mistakes, and problems: findings on originals, and equivalent mutants that
 *   are found or do not exist.
 */
export async function runMutations({ every = 1 } = {}) {
  const units = readUnits().filter((_, index) => index % every === 0)
  const counts = new Map(
    KINDS.map((kind) => [kind, { kind, planted: 0, equivalent: 0, found: 0, missed: 0 }]),
  )
  const missed = []
  const problems = []
  for (const unit of units) {
    const found = await checkUnit(unit).catch((error) => {
      throw new Error(`${unit.name}: ${error.message}`)
    })
    for (const finding of found) problems.push(formatFinding(unit, finding))
    const planted = new Set()
    const reasons = new Set(
      (unit.equivalent ?? []).map(({ kind, line, file }) => `${kind} ${file}:${line}`),
    )
    for (const mistake of KINDS.flatMap((kind) => listMistakes(unit, kind))) {
      const { kind, file, start, expected } = mistake
      const line = getLine(unit.files.get(file), start)
      const findings = await checkUnit(unit, mistake).catch((error) => {
        throw new Error(
          `${unit.name}: ${kind}: ${error.message}\n${JSON.stringify(mistake.change)}`,
        )
      })
      const isFound = findings.some(({ code }) => expected.includes(code))
      const site = `${kind} ${file}:${line}`
      const isEquivalent = reasons.has(site)
      planted.add(site)
      const place = `${UNITS_PATH}/${unit.name}/${file}:${line}: ${kind}`
      const count = counts.get(kind)
      count.planted += 1
      if (isEquivalent) count.equivalent += 1
      else if (isFound) count.found += 1
      else {
        count.missed += 1
        const codes = [...new Set(findings.map(({ code }) => code))]
        missed.push({ unit: unit.name, place, change: mistake.change, expected, codes })
      }
      if (isEquivalent && isFound) problems.push(`${place}: listed as equivalent, but found`)
    }
    for (const reason of reasons) {
      if (!planted.has(reason)) problems.push(`${unit.name}: no equivalent mutant ${reason}`)
    }
  }
  return { units: units.length, rows: [...counts.values()], missed, problems }
}

const formatFinding = ({ name }, { file, line, column, code, message }) =>
  `${UNITS_PATH}/${name}/${file}:${line}:${column}: the original has a finding: ${code} ${message}`

/** Sums the counts, and the share of found mistakes among those that are not equivalent. */
export function sumRows(rows) {
  const total = { kind: 'all', planted: 0, equivalent: 0, found: 0, missed: 0 }
  for (const row of rows)
    for (const key of ['planted', 'equivalent', 'found', 'missed']) total[key] += row[key]
  return total
}

export const getShare = ({ found, missed }) => (found + missed === 0 ? 1 : found / (found + missed))

const formatShare = (row) => `${Math.floor(getShare(row) * 1000) / 10} %`

/** Formats the counts as a table of Markdown. */
export function formatTable(rows) {
  const lines = [...rows, sumRows(rows)].map(
    (row) =>
      `| ${row.kind} | ${row.planted} | ${row.equivalent} | ${row.found} | ${row.missed} | ${formatShare(row)} |`,
  )
  const head = [
    '| mistake | planted | equivalent | found | missed | share |',
    '| --- | --- | --- | --- | --- | --- |',
  ]
  return `${[...head, ...lines].join('\n')}\n`
}
