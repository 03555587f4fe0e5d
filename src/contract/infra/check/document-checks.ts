/** What an app's code and its OpenAPI document say about the same route. */

import { printable } from '../../../core/util/text.ts'
import type { ReadRoute } from '../app/route.ts'
import { type Finding, finding } from './finding.ts'
import { shapesOf } from './match.ts'

/** Routes that only one of the two has are not compared. */
export function checkDocument(
  code: readonly ReadRoute[],
  documented: readonly ReadRoute[],
): Finding[] {
  const byShape = new Map<string, Set<ReadRoute>>()
  for (const route of code) {
    for (const shape of shapesOf(route)) {
      byShape.set(shape, (byShape.get(shape) ?? new Set()).add(route))
    }
  }
  return documented.flatMap((route) => {
    const found = new Set(shapesOf(route).flatMap((shape) => [...(byShape.get(shape) ?? [])]))
    const [own] = found
    if (own === undefined || found.size > 1 || own.other || route.other) return []
    const [said, written] = [need(own), need(route)]
    if (said === written) return []
    const { file, line } = own.at
    const what = printable(`${route.method} ${route.path}`)
    const message = `${what} needs ${written} in the document and ${said} at ${printable(file)}:${line}`
    const fix = 'correct the one that is wrong, or make the document of the code'
    return finding(route.at, 'error', 'document-differs', message, fix)
  })
}

/** One text for requirements that let the same callers through. */
function need({ open, alternatives }: ReadRoute): string {
  if (open) return 'no token'
  // Who meets more than another choice asks for meets that one too.
  const least = alternatives.filter(
    (choice) =>
      !alternatives.some(
        (other) => other.length < choice.length && other.every((scope) => choice.includes(scope)),
      ),
  )
  const texts = least.map((choice) =>
    choice.length === 0
      ? 'a token'
      : [...choice]
          .sort()
          .map((scope) => printable(scope))
          .join(' and '),
  )
  return [...new Set(texts)].sort().join(', or ')
}
