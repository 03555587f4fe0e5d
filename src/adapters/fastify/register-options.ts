/** The options of Fastify's `register`, which Fastify passes on to the plugin. */
import type { RegisterOptions } from 'fastify'
import type { Members } from '../../core/options/validate.ts'

/** The options that `register` and @fastify/autoload add for every plugin. Fastify checks them. */
export const REGISTER_OPTIONS = ['prefix', 'logLevel', 'logSerializers'] as const

/** The ones that apply to routes of the plugin itself. */
export function toRouteOptions({
  logLevel,
  logSerializers,
}: Members): Pick<RegisterOptions, 'logLevel' | 'logSerializers'> {
  const options: Pick<RegisterOptions, 'logLevel' | 'logSerializers'> = {}
  if (logLevel !== undefined)
    options.logLevel = logLevel as NonNullable<RegisterOptions['logLevel']>
  if (logSerializers !== undefined) {
    options.logSerializers = logSerializers as NonNullable<RegisterOptions['logSerializers']>
  }
  return options
}
