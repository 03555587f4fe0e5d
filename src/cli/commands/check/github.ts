/** Formats findings as workflow commands of GitHub Actions, which show them at their lines in a pull request. */
import { isAbsolute, relative, resolve, sep } from 'node:path'
import type { Finding } from '../../../contract/infra/index.ts'
import { toPrintable } from '../../../core/util/text.ts'
import type { Terminal } from '../../terminal/terminal.ts'

/** Longest file name and message of an annotation, in characters. */
const MAX_TEXT_LENGTH = 2000

/** One workflow command per finding. GitHub shows 10 errors and 10 warnings of a step, and logs all of them. */
export const formatGithub = (findings: readonly Finding[], env: Terminal['env']): string =>
  findings.map((finding) => formatCommand(finding, env)).join('')

function formatCommand(finding: Finding, env: Terminal['env']): string {
  const { file, line, column, severity, code, message, fix } = finding
  const path = escapeProperty(toRepositoryPath(file, env))
  const properties = `file=${path},line=${line},col=${column},title=cognito-m2m ${code}`
  return `::${severity} ${properties}::${escapeText(`${message}; fix: ${fix}`)}\n`
}

/** Line breaks are escaped as printable text first: one finding is one command. */
const escapeText = (text: string): string =>
  toPrintable(text, MAX_TEXT_LENGTH).replaceAll('%', '%25')

const escapeProperty = (text: string): string =>
  escapeText(text).replaceAll(':', '%3A').replaceAll(',', '%2C')

/**
 * Converts the name of a file to a path with slashes, relative to the repository. The repository is
 * `GITHUB_WORKSPACE`, or else the working directory. A file outside of it gets its absolute path.
 */
export function toRepositoryPath(file: string, env: Terminal['env']): string {
  const path = resolve(file)
  const inside = relative(env['GITHUB_WORKSPACE'] ?? '', path)
  const isOutside = isAbsolute(inside) || inside.startsWith(`..${sep}`)
  return (isOutside ? path : inside).split(sep).join('/')
}
