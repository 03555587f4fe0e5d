/** A policy engine, for custom checks: it allows gold, denies others, and fails for `unknown`. */
export function isAllowed(tier) {
  if (tier === 'unknown') throw new Error('the policy engine is away')
  return tier === undefined || tier === 'gold'
}
