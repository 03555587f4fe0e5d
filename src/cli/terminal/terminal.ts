/**
 * What a command reads and writes beyond its arguments and files, injected so that tests can stand in
 * for it.
 */
export interface Terminal {
  out(text: string): void
  err(text: string): void
  /** Whether what goes to `out` may be coloured: a terminal, and nobody said no. */
  readonly colors: boolean
  /** Columns of what `out` is; 80 where it is no terminal. */
  readonly width: number
  readonly env: Readonly<Record<string, string | undefined>>
  /**
   * Standard input to its end; undefined where a person sits there.
   *
   * @param maxBytes More ends the command with one line.
   */
  input(maxBytes: number): Promise<string | undefined>
  /** Asks a person and shows nothing of what is typed; undefined where nobody is there. */
  secret(question: string): Promise<string | undefined>
  /** Aborted when the command is interrupted. */
  readonly signal: AbortSignal
  /** Transport of every request a command makes by itself. */
  readonly fetch: typeof globalThis.fetch
  /** Wall clock, milliseconds. */
  readonly now: () => number
}
