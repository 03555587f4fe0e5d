/**
 * A strict parser of `WWW-Authenticate` by the grammar of RFC 9110 sections 5.6 and 11.6.1. Input that a
 * lenient parser would repair is an error here.
 */

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+/
const TOKEN68 = /^[A-Za-z0-9\-._~+/]+=*(?=$| *,)/
/** qdtext, or a quoted pair. */
const QUOTED = /^"((?:[\t \x21\x23-\x5B\x5D-\x7E]|\\[\t \x21-\x7E])*)"/

export interface Challenge {
  readonly scheme: string
  readonly params: Readonly<Record<string, string>>
}

/** @throws {Error} naming the place. */
export function parseChallenges(value: string): Challenge[] {
  let rest = value
  const take = (pattern: RegExp, what: string): RegExpExecArray => {
    const found = pattern.exec(rest)
    if (found === null) throw new Error(`no ${what} at ${JSON.stringify(rest)}`)
    rest = rest.slice(found[0].length)
    return found
  }
  const challenges: Challenge[] = []
  while (rest !== '') {
    if (challenges.length > 0) take(/^ *, */, 'comma between challenges')
    const scheme = take(TOKEN, 'auth-scheme')[0]
    const params: Record<string, string> = {}
    challenges.push({ scheme, params })
    if (rest === '' || /^ *,/.test(rest)) continue
    take(/^ /, 'blank behind the scheme')
    if (TOKEN68.test(rest) && !/^[^=]+=[^=]/.test(rest))
      throw new Error('token68 instead of params')
    do {
      const name = take(TOKEN, 'name')[0].toLowerCase()
      take(/^=/, '=')
      if (Object.hasOwn(params, name)) throw new Error(`${name} twice`)
      const quoted = rest.startsWith('"')
      const text = quoted ? (take(QUOTED, 'quoted string')[1] as string) : take(TOKEN, 'token')[0]
      params[name] = text.replace(/\\(.)/g, '$1')
    } while (/^, [^ =,]+=/.test(rest) && take(/^, /, 'comma'))
  }
  return challenges
}
