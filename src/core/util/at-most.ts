/** Waiting with an end. */

/**
 * Waits for a promise that never rejects, but no longer than so many milliseconds.
 *
 * @returns Undefined where the time is over first.
 */
export async function atMost<Value>(
  milliseconds: number,
  promise: Promise<Value>,
): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
