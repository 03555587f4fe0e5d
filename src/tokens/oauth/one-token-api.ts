/** Compile-time check of the options of a token client or proxy: exactly one token API, and no unknown option. */
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
type KnownOptions<Options, Known, Subject extends string> = {
  readonly [Name in Exclude<
    keyof Options,
    keyof Known
  >]: OptionMistake<`A ${Subject} has no option '${Name & string}'`>
}

/**
 * Options whose mistakes the compiler names.
 *
 * @typeParam Known All options of the subject.
 */
export type CheckedOptions<Options, Known, Subject extends string> = Options extends unknown
  ? OneTokenApi<Options> & KnownOptions<Options, Known, Subject>
  : never
