/** Durations of a rotation in seconds. */

/** Longest grace period: a week. */
export const MAX_GRACE = 604_800
export const DEFAULT_GRACE = 86_400

/**
 * A run holds a rotation for this time. All steps but the grace period end in it. A run that was killed blocks others for
 * as long.
 */
export const HOLD_S = 900
