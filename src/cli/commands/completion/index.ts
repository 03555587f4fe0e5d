/** `cognito-m2m completion`: a script that completes this program's commands and options in a shell. */
import { Argument, Command } from 'commander'
import { manual } from '../../terminal/help.ts'
import type { CommandContext } from '../../terminal/terminal.ts'
import { bashScript } from './bash.ts'
import { fishScript } from './fish.ts'
import { wordsOf } from './words.ts'
import { zshScript } from './zsh.ts'

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript }

export function completionCommand({ terminal }: CommandContext): Command {
  const command: Command = new Command('completion')
    .description('print a script that completes commands and options in a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(SCRIPTS)))
    .action((shell: keyof typeof SCRIPTS) => {
      terminal.out(SCRIPTS[shell](wordsOf(command.parent as Command)))
    })
  return manual(command, {
    examples: [
      ['bash, in ~/.bashrc:', 'source <(cognito-m2m completion bash)'],
      ['zsh, in ~/.zshrc behind compinit:', 'source <(cognito-m2m completion zsh)'],
      ['fish, in ~/.config/fish/config.fish:', 'cognito-m2m completion fish | source'],
    ],
  })
}
