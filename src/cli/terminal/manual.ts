/** What the help of a command says beyond its arguments and options, in the sections of a manual page. */
import type { Command } from 'commander'
import type { EXIT } from '../exit-codes.ts'

/** Everything is optional, and text of our own: it is not made printable. */
export interface Manual {
  /** Paragraphs; default the one line that lists of commands show. */
  readonly description?: readonly string[]
  /** Variable, and what it is read for. */
  readonly environment?: Readonly<Record<string, string>>
  /** What a code means here; 0 and 2 have a meaning of their own without it. */
  readonly exitStatus?: Partial<Readonly<Record<keyof typeof EXIT, string>>>
  /** What is done, and the line of a shell that does it. */
  readonly examples?: readonly (readonly [does: string, line: string])[]
}

const manuals = new WeakMap<Command, Manual>()

/** Attaches a manual and answers the command. */
export function manual(command: Command, parts: Manual): Command {
  manuals.set(command, parts)
  return command
}

/** What was attached; nothing where nothing was. */
export function manualOf(command: Command): Manual {
  return manuals.get(command) ?? {}
}
