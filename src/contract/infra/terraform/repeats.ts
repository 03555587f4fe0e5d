/** App clients that `for_each` makes of members that are known: one resource each. */

import { scalar, textOf, type Value } from '../resolve/value.ts'
import type { Block } from './hcl.ts'
import type { TerraformResolver } from './resolve.ts'

/** One member of what a resource is repeated over. */
export interface Member {
  readonly key: string
  readonly value: Value
}

/** More are left as one: nobody writes them down. */
const MAX_MEMBERS = 200

/**
 * What `each` stands for, once a member. Undefined where the block is not repeated this way, where its
 * members are not known, and for what is no client: others are referred to by the address of the block.
 */
export function membersOf(
  { labels, attributes }: Block,
  resolver: TerraformResolver,
): readonly Member[] | undefined {
  const repeated = attributes.get('for_each')
  if (labels[0] !== 'aws_cognito_user_pool_client' || repeated === undefined) return undefined
  const members = listed(resolver.value(repeated))
  return members === undefined || members.length > MAX_MEMBERS ? undefined : members
}

function listed(value: Value): readonly Member[] | undefined {
  if (value.kind === 'map' && value.complete) {
    return [...value.entries].map(([key, member]) => ({ key, value: member }))
  }
  if (value.kind !== 'list' || !value.complete) return undefined
  // A set has each of its members once.
  const keys = new Set(value.items.map(textOf))
  return keys.has(undefined)
    ? undefined
    : [...keys].map((key = '') => ({ key, value: scalar(value.at, key, value.refs) }))
}
