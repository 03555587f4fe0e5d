/** Compile-time check of a token client's options: exactly one token API, and no unknown option. */
import type { TokenClientOptions } from './options.ts'

declare const mistake: unique symbol

/** No value has this type, so the error of the compiler shows the message. */
export interface OptionMistake<Message extends string> {
  readonly [mistake]: Message
}

/** A call whose options certainly have both APIs, or none. Optional members are left to the check at run time. */
type OneTokenApi<Options> = [keyof Options & ('tokenEndpoint' | 'userPoolsApi')] extends [never]
  ? { readonly tokenEndpoint: OptionMistake<'Pass tokenEndpoint or userPoolsApi'> }
  : Options extends { readonly tokenEndpoint: unknown; readonly userPoolsApi: unknown }
    ? { readonly userPoolsApi: OptionMistake<'Pass tokenEndpoint or userPoolsApi, not both'> }
    : unknown

/** The compiler does not look for unknown members where it infers the type of the options. */
type KnownOptions<Options> = {
  readonly [Name in Exclude<
    keyof Options,
    keyof TokenClientOptions
  >]: OptionMistake<`A token client has no option '${Name & string}'`>
}

/** {@link TokenClientOptions} whose mistakes the compiler names. */
export type CheckedClientOptions<Options> = Options extends unknown
  ? OneTokenApi<Options> & KnownOptions<Options>
  : never
