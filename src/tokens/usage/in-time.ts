/** Asks a store that may never answer. */

/**
 * Rejects after so many milliseconds, or as `ask` does, one that throws included. What comes later
 * has no effect.
 */
export async function inTime<Answer>(
  milliseconds: number,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), milliseconds)
  })
  try {
    return await Promise.race([ask(), late])
  } finally {
    clearTimeout(timer)
  }
}
