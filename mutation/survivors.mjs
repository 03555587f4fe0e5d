/**
 * Why mutants of src/core that no test notices may live. A reason counts for a survivor in `file` on a
 * line that contains `at`, where it replaces `from` (any text if left out) by one of `to` (likewise).
 */
const NODE_22 =
  'Node 20 has none of these methods: on Node 22 and later the test of set operations fails'

export const reasons = [
  {
    file: 'bearer',
    at: 'name.length !== 13',
    from: 'name.length !== 13',
    why: 'equivalent: a shortcut, the name is compared behind it',
  },
  {
    file: 'jws',
    at: "'latin1'",
    why: 'equivalent: the text is base64url by then, the same bytes in UTF-8',
  },
  {
    file: 'strict-json',
    at: '} catch {',
    why: 'equivalent: the value stays undefined, which is no object',
  },
  {
    file: 'strict-json',
    at: 'at < text.length',
    to: ['at <= text.length'],
    why: 'equivalent: behind the end stands no character that means anything',
  },
  {
    file: 'strict-json',
    at: 'open.push',
    from: 'code === OPEN_OBJECT',
    why: 'equivalent: a list has no members, so its set stays empty',
  },
  {
    file: 'issuer-keys',
    at: 'age !== undefined && age <=',
    from: 'age !== undefined',
    why: 'equivalent: undefined is not at most any number',
  },
  {
    file: 'issuer-keys',
    at: 'this.isLive(now) ? this.#keySet?.usable',
    from: 'this.#keySet?.usable',
    why: 'equivalent: what is live has a key set',
  },
  {
    file: 'issuer-keys',
    at: 'const slept =',
    to: ['overdue >= refreshInterval', 'drift >= refreshInterval'],
    why: 'harmless: overdue by exactly one interval to the millisecond, either answer is safe',
  },
  {
    file: 'issuer-keys',
    at: '!slept && overdue < 0',
    to: ['overdue <= 0'],
    why: 'harmless: the refresh due this very millisecond begins in the next',
  },
  {
    file: 'issuer-keys',
    at: 'this.#keySet?.unusable',
    from: 'this.#keySet?.unusable',
    why: 'equivalent: only called where there is a key set',
  },
  {
    file: 'logger',
    at: 'logger?.[level]',
    from: 'logger?.[level]',
    why: 'equivalent: what calling nothing throws is caught right below',
  },
  {
    file: 'logger',
    at: 'written instanceof Promise',
    from: 'written instanceof Promise',
    why: 'equivalent: what calling nothing throws is caught right below',
  },
  {
    file: 'ask',
    at: "thrown = ''",
    why: 'equivalent: the default is only used with the other code, whose text does not contain it',
  },
  {
    file: 'ask',
    at: '} catch {',
    why: "equivalent: undefined is answered instead of '', which is then the default",
  },
  {
    file: 'fetch-jwks',
    at: 'retryAfter === undefined ? { status }',
    from: 'retryAfter === undefined',
    why: 'equivalent: a member that is undefined is read like one that is absent',
  },
  {
    file: 'fetch-jwks',
    at: 'value === null',
    from: 'value === null',
    why: 'equivalent: null is no number and no date either',
  },
  {
    file: 'fetch-jwks',
    at: '.test(value) ? Number(value)',
    why: 'harmless: a malformed Retry-After; whatever it is read as is held between 1 and 60 s',
  },
  { file: 'verified-token', at: "'union', 'intersection'", why: NODE_22 },
  { file: 'verified-token', at: "'symmetricDifference'", why: NODE_22 },
]
