/** A hostile token as plain data: what a counterexample prints can be pasted into findings.ts. */

/** Parts that carry JSON. */
export type JsonPart = 'header' | 'claims'
export type Part = JsonPart | 'signature'

/** Changes to the JSON of a part. Names and values are raw JSON text: spelling is the point. */
export type JsonEdit =
  /** Replaces the member, or adds it. */
  | { readonly edit: 'set'; readonly part: JsonPart; readonly name: string; readonly json: string }
  | { readonly edit: 'drop'; readonly part: JsonPart; readonly name: string }
  /** Adds a member whatever is there already. `spelled` is the name with its quotes. */
  | {
      readonly edit: 'add'
      readonly part: JsonPart
      readonly spelled: string
      readonly json: string
      readonly front: boolean
    }
  /** Writes one character of the name as a \u escape. */
  | { readonly edit: 'escape'; readonly part: JsonPart; readonly name: string; readonly at: number }
  /** Adds a claim of that many characters. */
  | { readonly edit: 'grow'; readonly part: JsonPart; readonly by: number }
  /** Adds a member of that many arrays or objects, one in the other. */
  | {
      readonly edit: 'nest'
      readonly part: JsonPart
      readonly of: 'arrays' | 'objects'
      readonly depth: number
    }
  /** Adds a member of so many members, or of so many empty arrays. */
  | {
      readonly edit: 'fill'
      readonly part: JsonPart
      readonly of: 'arrays' | 'members'
      readonly count: number
    }
  /** Embeds the attacker's public key in the header. */
  | { readonly edit: 'own key' }
  /** Puts text between all pieces of the JSON. */
  | { readonly edit: 'blank'; readonly part: JsonPart; readonly text: string }
  | {
      readonly edit: 'wrap'
      readonly part: JsonPart
      readonly before: string
      readonly after: string
    }
  /** Overwrites one byte, valid UTF-8 or not. */
  | { readonly edit: 'byte'; readonly part: JsonPart; readonly at: number; readonly byte: number }

/** Changes to the base64url of a part. Positions count modulo the length. */
export type EncodingEdit =
  | { readonly edit: 'pad'; readonly part: Part; readonly text: string }
  /** As many `=` as the length requires. */
  | { readonly edit: 'pad duly'; readonly part: Part }
  /** Sets bits of the last character that encode nothing. */
  | { readonly edit: 'spare bits'; readonly part: Part; readonly bits: number }
  /** Writes + and / for - and _. */
  | { readonly edit: 'standard alphabet'; readonly part: Part }
  | { readonly edit: 'insert'; readonly part: Part; readonly at: number; readonly text: string }
  | { readonly edit: 'overwrite'; readonly part: Part; readonly at: number; readonly text: string }
  | { readonly edit: 'cut'; readonly part: Part; readonly at: number }

/** Changes to the three parts together, after signing. */
export type TokenEdit =
  | { readonly edit: 'swap'; readonly one: Part; readonly other: Part }
  | { readonly edit: 'surround'; readonly before: string; readonly after: string }
  /** Keeps as many characters of the whole, modulo its length. */
  | { readonly edit: 'truncate'; readonly at: number }

export type Edit = JsonEdit | EncodingEdit | TokenEdit

/** The valid token that changes start from. The last three are valid for another API. */
export type Base = 'machine' | 'other machine' | 'unlisted machine' | 'user' | 'id token'

/** Whose signature, over what was changed; `left`: the one of the good token. */
export type Signature =
  | 'right'
  | 'left'
  | 'other published key'
  | 'stranger'
  | 'RS512'
  | 'PS256'
  | 'HS256 with the public key'
  | 'empty'

export interface Variant {
  readonly base: Base
  readonly edits: readonly Edit[]
  readonly signature: Signature
}
