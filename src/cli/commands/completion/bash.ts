/** Completion for bash, 3.2 and later. */
import type { CommandWords, OptionWords, Values } from './words.ts'

/**
 * Renders the script. An empty list of words completes files, the default of readline. `compopt` disables that
 * for values that are not files. No word has a special meaning in the shell.
 */
export function renderBash(commands: readonly CommandWords[]): string {
  const [own, ...named] = commands as readonly [CommandWords, ...CommandWords[]]
  const first = [...named.map(({ name }) => name), ...listFlags(own.options)]
  return `# bash completion of cognito-m2m: source <(cognito-m2m completion bash)
_cognito_m2m() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" words=''
  COMPREPLY=()
  # --option=value comes as three words.
  if [[ $current == '=' ]]; then current=''
  elif [[ $previous == '=' ]]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
  if ((COMP_CWORD == 1)); then words='${first.join(' ')}'
  else
    case "\${COMP_WORDS[1]} $previous" in
${named.flatMap(renderValueCases).join('\n')}
      *)
        case "\${COMP_WORDS[1]}" in
${named.map(renderCommandCase).join('\n')}
        esac ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  ((\${#COMPREPLY[@]})) || compopt +o default 2>/dev/null
}
complete -o default -F _cognito_m2m cognito-m2m
`
}

function listFlags(options: readonly OptionWords[]): readonly string[] {
  return options.flatMap(({ long, short }) => (short === undefined ? [long] : [long, short]))
}

/** Renders the completion of option values. */
function renderValueCases({ name, options }: CommandWords): readonly string[] {
  return options.flatMap(({ long, short, values }) => {
    if (values === undefined) return []
    const patterns = [long, short].filter((it) => it !== undefined).map((it) => `'${name} ${it}'`)
    return [`      ${patterns.join(' | ')}) ${renderAction(values)} ;;`]
  })
}

/** Renders the words. An empty list disables files. */
function renderAction(values: Values): string {
  if (values === 'files') return 'return'
  return `words='${values === 'anything' ? '' : values.join(' ')}'`
}

function renderCommandCase({ name, options, values, endsWithPaths }: CommandWords): string {
  const flags = listFlags(options).join(' ')
  if (values === 'files') {
    return `          ${name}) if [[ $current != -* ]]; then return; else words='${flags}'; fi ;;`
  }
  const words = values === undefined || values === 'anything' ? [] : values
  const all = `words='${[...words, flags].join(' ')}'`
  if (!endsWithPaths) return `          ${name}) ${all} ;;`
  return `          ${name}) if ((COMP_CWORD > 2)) && [[ $current != -* ]]; then return; else ${all}; fi ;;`
}
