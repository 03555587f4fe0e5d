import type { Command } from 'commander'

/** Replaces the tables of options in docs/cli.md. Each command must have one table. */
export function replaceOptionTables(text: string, commands: readonly Command[]): string
