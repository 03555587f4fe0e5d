/** Options that would take a secret from the command line: they are there to say why not. */
import { type Command, Option } from 'commander'
import { OptionError } from '../../core/options/validate.ts'

/**
 * Adds a hidden option that is refused in every form. Without it the program would say that it is
 * unknown, and repeat it.
 *
 * @param instead How it is given.
 */
export function refuseSecret(command: Command, name: string, instead: string): Command {
  return command
    .addOption(new Option(`${name} [value]`).hideHelp())
    .on(`option:${name.slice(2)}`, () => {
      throw new OptionError(
        name,
        `is no option: the command line is seen by every process of this machine and kept by the shell; ${instead}`,
      )
    })
}
