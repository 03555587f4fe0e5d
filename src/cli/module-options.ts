/** What commands that run a module have in common. */
import { OptionError, show } from '../core/option-error.ts'
import { printable } from '../core/printable.ts'

/** Seconds a module may take where nothing else is said. */
export const TIMEOUT = '20'

/** A number of seconds above 0, as it is written on the command line. */
export function readSeconds(text: string, option: string, most: number): number {
  const seconds = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : 0
  if (seconds > 0 && seconds <= most) return seconds
  throw new OptionError(option, `is ${show(text)}: use seconds, above 0 and up to ${most}`)
}

/** Said before somebody's code runs. */
export function runningNotice(module: string, timeout: number): string {
  return `cognito-m2m: running ${printable(module)} in a process of its own, for at most ${timeout} s\n`
}
