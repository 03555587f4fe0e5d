/** What a release depends on. */
export interface ReleaseState {
  /** package.json. */
  readonly manifest: Readonly<Record<string, unknown>>
  /** The text of CHANGELOG.md. */
  readonly changelog: string
  /** The commit to publish. */
  readonly head: string
  /** The commit that passed the gate; empty if none did. */
  readonly gate: string
  /** Output of `git status --porcelain`. */
  readonly changes: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Lists the reasons not to publish, one line each. */
export function listRefusals(state: ReleaseState): string[]
