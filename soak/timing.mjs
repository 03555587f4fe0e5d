/**
 * The scale of the soak, in milliseconds. A key store lives in minutes and hours; here a refresh is
 * due every 2 s instead of 5 min and the cooldown is 0.5 s instead of 5 s, so that a minute holds
 * several rotations and outages. Backoff cannot be scaled: it begins at 1 s as everywhere.
 */
export const timing = Object.freeze({
  refreshInterval: 2000,
  cooldown: 500,
  /** On loopback a fetch takes some milliseconds: nearly all of this is patience with the machine. */
  fetchTimeout: 2000,
  /** For timers that fire late and processes that have to wait for a core. */
  slack: 500,
})

/** The option `keyStore` of the servers, in seconds. Keys are never too old here: outages are short. */
export const keyStore = Object.freeze({
  refreshInterval: timing.refreshInterval / 1000,
  cooldown: timing.cooldown / 1000,
  fetchTimeout: timing.fetchTimeout / 1000,
  maxStale: 3600,
})
