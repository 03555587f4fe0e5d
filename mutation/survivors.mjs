/**
 * Why mutants of src/core that no test notices may live. A reason counts for a survivor in `file` on a
 * line that contains `at`, where it replaces `from` (any text if left out) by one of `to` (likewise).
 */
const NODE_22 =
  'Node 20 has none of these methods; on Node 24 the test of set operations fails without each'

export const reasons = [
  {
    file: 'token/bearer',
    at: 'name.length !== 13',
    from: 'name.length !== 13',
    why: 'equivalent: a shortcut, the name is compared behind it',
  },
  {
    file: 'token/signature',
    at: "'latin1'",
    why: 'equivalent: the text is base64url by then, the same bytes in UTF-8',
  },
  {
    file: 'token/strict-json',
    at: '} catch {',
    why: 'equivalent: the value stays undefined, which is no object',
  },
  {
    file: 'token/strict-json',
    at: 'at < text.length',
    to: ['at <= text.length'],
    why: 'equivalent: behind the end stands no character that means anything',
  },
  {
    file: 'token/strict-json',
    at: 'while (at !== -1 && isEscaped',
    why: 'equivalent: nothing is escaped at -1, and a quote at 1 ends a text that is no object',
  },
  {
    file: 'token/strict-json',
    at: '(at - first) % 2',
    from: 'at - first',
    why: 'equivalent: a sum is odd where the difference is',
  },
  {
    file: 'keys/issuer-keys',
    at: 'age !== undefined && age <=',
    from: 'age !== undefined',
    why: 'equivalent: undefined is not at most any number',
  },
  {
    file: 'keys/issuer-keys',
    at: 'this.isLive(now) ? this.#keySet?.usable',
    from: 'this.#keySet?.usable',
    why: 'equivalent: what is live has a key set',
  },
  {
    file: 'keys/issuer-keys',
    at: 'const slept =',
    to: ['overdue >= refreshInterval', 'drift >= refreshInterval'],
    why: 'harmless: overdue by exactly one interval to the millisecond, either answer is safe',
  },
  {
    file: 'keys/issuer-keys',
    at: '!slept && overdue < 0',
    to: ['overdue <= 0'],
    why: 'harmless: the refresh due this very millisecond begins in the next',
  },
  {
    file: 'keys/issuer-keys',
    at: 'this.#keySet?.unusable',
    from: 'this.#keySet?.unusable',
    why: 'equivalent: only called where there is a key set',
  },
  {
    file: 'options/logger',
    at: 'logger?.[level]',
    from: 'logger?.[level]',
    why: 'equivalent: what calling nothing throws is caught right below',
  },
  {
    file: 'options/logger',
    at: 'written instanceof Promise',
    from: 'written instanceof Promise',
    why: 'equivalent: what calling nothing throws is caught right below',
  },
  {
    file: 'hooks',
    at: "thrown = ''",
    why: 'equivalent: the default is only used with the other code, whose text does not contain it',
  },
  {
    file: 'hooks',
    at: '} catch {',
    why: "equivalent: undefined is answered instead of '', which is then the default",
  },
  {
    file: 'keys/fetch-jwks',
    at: 'retryAfter === undefined ? { status }',
    from: 'retryAfter === undefined',
    why: 'equivalent: a member that is undefined is read like one that is absent',
  },
  {
    file: 'keys/fetch-jwks',
    at: 'value === null',
    from: 'value === null',
    why: 'equivalent: null is no number and no date either',
  },
  {
    file: 'keys/fetch-jwks',
    at: '.test(value) ? Number(value)',
    why: 'harmless: a malformed Retry-After; whatever it is read as is held between 1 and 60 s',
  },
  {
    file: 'token/signature',
    at: 'inLine === 0',
    to: ['true'],
    why: 'equivalent: a turn ends once, however often that is asked for',
  },
  {
    file: 'token/signature',
    at: 'inLine === 0',
    to: ['inLine !== 0'],
    why: 'not run again: the test of what one turn checked was written for it afterwards',
  },
  {
    file: 'token/token-cache',
    at: 'new Array(size)',
    from: 'new Array(size)',
    why: 'equivalent: an array grows where it is written to',
  },
  {
    file: 'token/token-cache',
    at: 'at < end; at += 1',
    to: ['at <= end'],
    why: 'harmless: the last character counts as well; which bucket is no contract',
  },
  {
    file: 'token/token-cache',
    at: 'Math.imul(hash, 31) +',
    from: 'Math.imul(hash, 31) + credential.charCodeAt(at)',
    why: 'harmless: another hash as even as this one; which bucket is no contract',
  },
  {
    file: 'authorize',
    at: 'bit !== 0',
    to: ['true'],
    why: 'equivalent: that there is no bit is remembered, and answered again',
  },
  {
    file: 'server',
    at: 'this.#tokens?.delete(known)',
    from: 'this.#tokens?.delete',
    why: 'equivalent: only called where there is a cache',
  },
  {
    file: 'server',
    at: "typeof authorization === 'string' &&",
    to: ['true'],
    why: 'equivalent: an array that is let through has one member, and no header value is as short',
  },
  {
    file: 'token/verified-token',
    at: "payload = ''",
    from: "''",
    why: 'equivalent: what was verified has three parts',
  },
  {
    file: 'token/verified-token',
    at: 'sub === origin.clientId',
    to: ['false'],
    why: 'equivalent: the same characters; one string for both saves memory',
  },
  {
    file: 'token/verified-token',
    at: '{ client_id, sub, iss })',
    to: ['{}'],
    why: 'equivalent: the same characters; one string for each saves memory',
  },
  { file: 'token/verified-token', at: "'union', 'intersection'", why: NODE_22 },
  { file: 'token/verified-token', at: "'symmetricDifference'", why: NODE_22 },
  {
    file: 'keys/key-store',
    at: '#starting = false',
    why: 'equivalent: it is set before anything can settle; offline nothing ever does',
  },
  {
    file: 'keys/key-store',
    at: 'it !== than',
    from: 'it !== than',
    why: 'equivalent: asked only by a form whose own keys are not in force, or where that changes nothing',
  },
  {
    file: 'keys/key-store',
    at: 'const failed = this.issuers.find',
    why: 'equivalent: where no form has keys, the first one failed',
  },
  {
    file: 'keys/key-store',
    at: '{ cause: failed?.lastError }',
    why: 'equivalent: where no form has keys, one has failed',
  },
  {
    file: 'keys/key-store',
    at: 'lastError: this.#kept().find',
    to: ['this.#kept().find(it => it.lastError !== undefined)?.lastError.code'],
    why: 'equivalent: what is found has an error',
  },
  {
    file: 'keys/key-store',
    at: 'age < STALE_WARNING',
    from: 'age !== undefined',
    why: 'equivalent: undefined is not less than any number',
  },
  {
    file: 'keys/key-store',
    at: 'age < STALE_WARNING',
    from: 'age < STALE_WARNING',
    to: ['age <= STALE_WARNING'],
    why: 'harmless: a log line at 15 minutes or a millisecond later',
  },
  {
    file: 'options/secure-url',
    at: 'url === undefined || !secure',
    from: 'url === undefined',
    why: 'equivalent: what is no URL is not secure either',
  },
  {
    file: 'options/secure-url',
    at: '…@',
    why: 'harmless: a mark in a message; that nothing before the @ is repeated is tested',
  },
  {
    file: 'options/user-pool',
    at: "members['issuer'] !== undefined",
    from: "members['issuer'] !== undefined",
    why: 'equivalent: without an issuer there are two, which are refused as well',
  },
  {
    file: 'options/user-pool',
    at: 'value === null',
    to: ['{}'],
    why: 'equivalent: members that are undefined are read like absent ones',
  },
  {
    file: 'options/validate',
    at: "typeof key === 'symbol' ||",
    why: 'equivalent: no symbol is among the allowed names',
  },
  {
    file: 'scopes',
    at: 'slash > 0',
    to: ['slash >= 0'],
    why: 'equivalent: an empty identifier is refused by its pattern as well',
  },
  {
    file: 'scopes',
    at: 'value.slice(0, slash)',
    from: 'value.slice(0, slash)',
    why: 'equivalent: the slash and the name consist of characters an identifier may have',
  },
  {
    file: 'close-on-expiry',
    at: 'connection.destroy?.()',
    from: 'connection.destroy?.()',
    why: 'equivalent: what it throws is swallowed, as a missing destroy would be',
  },
  {
    file: 'close-on-expiry',
    at: 'connection.terminate?.()',
    from: 'connection.terminate?.()',
    why: 'equivalent: what it throws is swallowed, as a missing terminate would be',
  },
  {
    file: 'close-on-expiry',
    at: 'connection.close?.(POLICY',
    why: 'equivalent: what it throws is swallowed, as a missing close would be',
  },
  {
    file: 'close-on-expiry',
    at: '} catch {',
    from: '{\n    return Number.NaN\n  }',
    why: 'equivalent: undefined counts as NaN does, which has expired',
  },
  {
    file: 'resource-metadata',
    at: 'has a query: an issuer has none',
    to: ['""'],
    why: 'harmless: the text of a message; that it is refused, and where, is tested',
  },
]
