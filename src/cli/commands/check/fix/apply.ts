/** Runs `--fix`: prints a diff, or changes the files. */
import { quoteFile } from '../../../files/flags.ts'
import { isGenerated } from '../../../files/models.ts'
import { replaceFiles } from '../../../files/replace.ts'
import type { Terminal } from '../../../terminal/terminal.ts'
import { type CheckInputs, checkTemplates } from '../run.ts'
import { formatDiff } from './diff.ts'
import { type Checked, fixTemplates } from './fix.ts'

/**
 * @returns The result of a check of the files after the command.
 * @throws {OptionError} if `isWrite` is true and a file cannot be replaced safely.
 */
export async function applyFixes(
  checked: Checked,
  inputs: CheckInputs,
  isWrite: boolean,
  terminal: Terminal,
): Promise<Checked> {
  const result = await fixTemplates(checked, {
    readFile(file) {
      const text = inputs.texts.get(file)
      // A change would be lost when the tool writes the file again.
      return text === undefined || isGenerated(file, text) ? undefined : text
    },
    check: (changed) => checkTemplates(inputs, changed),
  })
  if (isWrite) {
    replaceFiles(result.files, { option: '--write', signal: terminal.signal })
    for (const { file } of result.files) terminal.err(`cognito-m2m: fixed ${quoteFile(file)}\n`)
    return result
  }
  for (const { file, before, after } of result.files) {
    terminal.out(formatDiff(file, before, after))
  }
  const count = checked.findings.length - result.findings.length
  const what = `${count} ${count === 1 ? 'finding' : 'findings'}`
  terminal.err(`cognito-m2m: the diff fixes ${what}; add --write to change the files\n`)
  return checked
}
