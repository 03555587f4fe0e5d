/** Where the command line writes. */

/** Two streams of text, injected so that tests can read them. */
export interface Output {
  out(text: string): void
  err(text: string): void
}
