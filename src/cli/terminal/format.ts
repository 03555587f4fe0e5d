/** Emphasis, where the terminal may show it. */

/** Words as they are, or between escape sequences (ECMA-48 SGR). Give it printable text alone. */
export interface Style {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly green: (text: string) => string
  readonly red: (text: string) => string
  readonly yellow: (text: string) => string
}

export function styleOf({ colors }: { readonly colors: boolean }): Style {
  const sgr = (on: number, off: number) => (text: string) =>
    colors ? `\u001b[${on}m${text}\u001b[${off}m` : text
  return {
    bold: sgr(1, 22),
    dim: sgr(2, 22),
    green: sgr(32, 39),
    red: sgr(31, 39),
    yellow: sgr(33, 39),
  }
}

/**
 * Whether output may be coloured: on a terminal that can, unless NO_COLOR says no (no-color.org).
 * FORCE_COLOR decides where it is set, as in Node itself: `0` and `false` say no, everything else yes.
 */
export function mayColor(
  env: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): boolean {
  const { FORCE_COLOR: forced, NO_COLOR: no, TERM: term } = env
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  return isTerminal && (no === undefined || no === '') && term !== 'dumb'
}
