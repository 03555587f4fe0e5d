/** Waiting for others, not in step with them. */

/** @param milliseconds At most so long, at least half of it. Somebody waits for it: it keeps the process alive. */
export function pause(milliseconds: number): Promise<void> {
  const jittered = milliseconds * (0.5 + Math.random() / 2)
  return new Promise((resolve) => {
    setTimeout(resolve, jittered)
  })
}
