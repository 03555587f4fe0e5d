/** Completion for zsh, as a sourced script or a file in `fpath`. */
import type { CommandWords, OptionWords, Values } from './words.ts'

export function renderZsh(commands: readonly CommandWords[]): string {
  const [own, ...named] = commands as readonly [CommandWords, ...CommandWords[]]
  return `#compdef cognito-m2m
# zsh completion of cognito-m2m: source <(cognito-m2m completion zsh)
_cognito_m2m() {
  local -a commands=(
${named.map(({ name, description }) => `    ${quote(`${name}:${description}`)}`).join('\n')}
  )
  if ((CURRENT == 2)); then
    if [[ $words[2] == -* ]]; then
      _arguments ${own.options.flatMap(renderOptionSpecs).join(' ')}
    else
      _describe -t commands command commands
    fi
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${named.map(renderCommandCase).join('\n')}
  esac
}
if [[ $funcstack[1] == _cognito_m2m ]]; then
  _cognito_m2m "$@"
else
  compdef _cognito_m2m cognito-m2m
fi
`
}

function renderCommandCase({ name, options, values, endsWithPaths }: CommandWords): string {
  const specs = options.flatMap(renderOptionSpecs)
  const position = endsWithPaths ? '1' : '*'
  const all = values === undefined ? specs : [...specs, quote(`${position}${renderAction(values)}`)]
  if (endsWithPaths) all.push(quote(`*${renderAction('files')}`))
  return `    ${name})\n      _arguments ${all.join(' \\\n        ')} ;;`
}

function renderOptionSpecs({ short, long, description, values }: OptionWords): readonly string[] {
  const explained = `[${description.replaceAll(/[[\]\\]/g, '\\$&')}]`
  const value = values === undefined ? '' : renderAction(values)
  const names = short === undefined ? [long] : [long, short]
  return names.map((name) => quote(`*${name}${explained}${value}`))
}

function renderAction(values: Values): string {
  if (values === 'files') return ':file:_files'
  return values === 'anything' ? ':value: ' : `:value:(${values.join(' ')})`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
