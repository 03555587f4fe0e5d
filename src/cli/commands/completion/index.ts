/** `cognito-m2m completion`: a script that completes this program's commands and options in a shell. */
import { Argument, Command } from 'commander'
import type { CommandContext, DocumentedCommand } from '../../terminal/terminal.ts'
import { renderBash } from './bash.ts'
import { renderFish } from './fish.ts'
import { listWords } from './words.ts'
import { renderZsh } from './zsh.ts'

const SCRIPTS = { bash: renderBash, zsh: renderZsh, fish: renderFish }

export function completionCommand({ terminal }: CommandContext): DocumentedCommand {
  const command: Command = new Command('completion')
    .description('print a script that completes commands and options in a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(SCRIPTS)))
    .action((shell: keyof typeof SCRIPTS) => {
      terminal.out(SCRIPTS[shell](listWords(command.parent as Command)))
    })
  return {
    command,
    manual: {
      examples: [
        ['bash, in ~/.bashrc:', 'source <(cognito-m2m completion bash)'],
        ['zsh, in ~/.zshrc behind compinit:', 'source <(cognito-m2m completion zsh)'],
        ['fish, in ~/.config/fish/config.fish:', 'cognito-m2m completion fish | source'],
      ],
    },
  }
}
