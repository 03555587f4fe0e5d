/** Options of Fastify's own `register`, which it hands to the plugin as well. */
import type { RegisterOptions } from 'fastify'
import type { Members } from '../../core/options/validate.ts'

/** What `register` and @fastify/autoload add to the options of every plugin. Fastify checks them. */
export const REGISTER_OPTIONS = ['prefix', 'logLevel', 'logSerializers'] as const

/** Those that routes of the plugin's own take. */
export function routeOptionsOf({
  logLevel,
  logSerializers,
}: Members): Pick<RegisterOptions, 'logLevel' | 'logSerializers'> {
  return {
    ...(logLevel !== undefined && {
      logLevel: logLevel as NonNullable<RegisterOptions['logLevel']>,
    }),
    ...(logSerializers !== undefined && {
      logSerializers: logSerializers as NonNullable<RegisterOptions['logSerializers']>,
    }),
  }
}
