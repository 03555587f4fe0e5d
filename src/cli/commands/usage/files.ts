/** Reads the JSON files of `cognito-m2m usage`. Errors name the flag. */
import { OptionError } from '../../../core/options/validate.ts'
import {
  type ClientInfo,
  parseUsageDays,
  parseUsageImport,
  type UsageDay,
  type UsageImport,
} from '../../../tokens/usage/index.ts'
import { quoteFile } from '../../files/flags.ts'
import { readText } from '../../files/read.ts'

/** Size limit of a file with tokens: five million event ids take 53 MB. */
const MAX_DATA_BYTES = 400_000_000

/** Calls a function, and names the flag instead of the option in its errors. */
export function withFlags<Result>(
  flags: Readonly<Record<string, string>>,
  call: () => Result,
): Result {
  try {
    return call()
  } catch (error) {
    throw toFlagError(flags, error)
  }
}

/** The option of an {@link OptionError} with its flag: `price.tiers[0]` becomes `--price: tiers[0]`. */
export function toFlagError(flags: Readonly<Record<string, string>>, error: unknown): unknown {
  if (!(error instanceof OptionError)) return error
  const [name = ''] = /^\w*/.exec(error.option) as RegExpExecArray
  if (!Object.hasOwn(flags, name)) return error
  const rest = error.option.slice(name.length).replace(/^(?:\(\))?\.?/, '')
  const flag = flags[name] as string
  return new OptionError(rest === '' ? flag : `${flag}: ${rest}`, error.problem)
}

export async function readData(file: string, signal: AbortSignal): Promise<UsageImport> {
  const { text } = await readText(file, '--data', signal, MAX_DATA_BYTES)
  return withFlags({ text: '--data' }, () => parseUsageImport(text))
}

export async function readCounted(file: string, signal: AbortSignal): Promise<readonly UsageDay[]> {
  const { text } = await readText(file, '--counted', signal, MAX_DATA_BYTES)
  return withFlags({ text: '--counted' }, () => parseUsageDays(text))
}

/** Reads JSON that the library validates. */
export async function readJson(file: string, flag: string, signal: AbortSignal): Promise<unknown> {
  const { text } = await readText(file, flag, signal)
  try {
    return JSON.parse(text)
  } catch {
    throw new OptionError(
      flag,
      `expected JSON in ${quoteFile(file)}, got another text. Correct the file.`,
    )
  }
}

/** Reads `[{ clientId, name, team, tags }]`, or the output of `aws cognito-idp list-user-pool-clients`. */
export async function readClients(
  file: string,
  signal: AbortSignal,
): Promise<readonly ClientInfo[]> {
  const value = await readJson(file, '--clients', signal)
  const listed = (value as { UserPoolClients?: unknown } | null)?.UserPoolClients
  if (!Array.isArray(listed)) return value as readonly ClientInfo[]
  return (listed as Record<string, unknown>[]).map(
    (it) =>
      ({
        clientId: it?.['ClientId'],
        userPoolId: it?.['UserPoolId'],
        name: it?.['ClientName'],
      }) as unknown as ClientInfo,
  )
}
