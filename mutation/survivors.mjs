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
  { file: 'verified-token', at: "'union', 'intersection'", why: NODE_22 },
  { file: 'verified-token', at: "'symmetricDifference'", why: NODE_22 },
]
