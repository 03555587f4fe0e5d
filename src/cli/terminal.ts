/** What a command reads and writes beyond its arguments and files, injected so that tests can stand in for it. */
export interface Terminal {
  out(text: string): void
  err(text: string): void
  /** Whether what goes to `out` may be coloured: a terminal, and nobody said no. */
  readonly colors: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  /** Standard input to its end; undefined where a person sits there. */
  input(): Promise<string | undefined>
  /** Asks a person and shows nothing of what is typed; undefined where nobody is there. */
  secret(question: string): Promise<string | undefined>
  /** Aborted when the command is interrupted. */
  readonly signal: AbortSignal
}
