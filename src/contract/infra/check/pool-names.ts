/** Names by which templates refer to user pools that they do not create. */
import type { Fact, InfraModel } from '../model/model.ts'
import { formatSource, type Source } from '../resolve/value.ts'
import type { TextReader } from './fact-text.ts'
import { createText, getLiteral, type SymbolicText } from './symbolic.ts'

/** A reference to a user pool by its id, or by a name that only the deployment resolves. */
export interface PoolName {
  /** `id`: a literal pool id. */
  readonly kind: 'id' | 'name'
  /** References with the same identity are certainly one pool. */
  readonly identity: string
  /** Readable. Not escaped. */
  readonly name: string
  /** The origin of a value that is one unknown piece. */
  readonly source: Source | undefined
}

/** A pool id: the last part of an ARN or issuer. */
const POOL_ID = /^[a-z0-9-]+_[0-9A-Za-z]+$/
/** Attributes of a data source of user pools, whose values identify one pool: `arn`, `ids.0`. */
const POOL_ATTRIBUTE = /^(?:id|arn|endpoint|ids|arns|user_pool_id)(?=\.|$)/
const POOL_DATA = /^(?:.*\.)?data\.aws_cognito_user_pools?\./

/** Whether a data source of Terraform looks up the pool. */
export const isPoolLookup = ({ resource = '' }: Source): boolean => POOL_DATA.test(resource)

/**
 * @param index The number of the model. It distinguishes the parameters of templates.
 * @returns Undefined if nothing identifies the pool.
 */
export function readPoolName(
  reader: TextReader,
  model: InfraModel,
  index: number,
  fact: Fact<string>,
): PoolName | undefined {
  const tail = takeLastPart(reader.readFact(model, fact))
  const literal = getLiteral(tail)
  if (literal !== undefined) {
    if (!POOL_ID.test(literal)) return undefined
    return { kind: 'id', identity: literal, name: literal, source: undefined }
  }
  if (tail.key === '') return undefined
  const last = fact.pieces === undefined ? fact.source : fact.pieces.at(-1)
  if (typeof last !== 'object' || tail.pieces.length > 1)
    return { kind: 'name', identity: tail.key, name: tail.label, source: undefined }
  const { resource = '', attribute = '' } = last
  const identity = POOL_DATA.test(resource)
    ? `${index} ${resource} ${attribute.replace(POOL_ATTRIBUTE, '')}`
    : tail.key
  return { kind: 'name', identity, name: nameSource(model, last), source: last }
}

/** Returns the part of an ARN or issuer after the last slash. */
function takeLastPart({ pieces }: SymbolicText): SymbolicText {
  const index = pieces.findLastIndex((piece) => typeof piece === 'string' && piece.includes('/'))
  if (index < 0) return createText(pieces)
  const piece = pieces[index] as string
  return createText([piece.slice(piece.lastIndexOf('/') + 1), ...pieces.slice(index + 1)])
}

function nameSource({ dialect }: InfraModel, source: Source): string {
  const { resource, parameter, ssm, imported } = source
  if (parameter !== undefined) return dialect === 'terraform' ? `var.${parameter}` : parameter
  if (resource === undefined) return (ssm ?? imported) as string
  return formatSource(source).slice('${'.length, -1)
}

/** Words at the end of a name that say how it identifies the pool: `UserPoolId`, `user_pool_arn`, `userpoolid`. */
const ROLES = [
  /[-_./:](?:ids?|arns?|issuer|issuer[-_]?ur[li]|ur[li]|endpoint|provider)$/i,
  /(?<=[a-z0-9])(?:I[dD]s?|A(?:rn|RN)s?|Issuer(?:U[rR][iIlL])?|Endpoint|Provider)$/,
  /(?<=pool)(?:id|arn|issuer)$/i,
]
/** The attribute of a data source that is the value of an SSM parameter. */
const VALUE = /\.(?:insecure_)?value$/
const INDEX = /\.\d+$/
/** Shortest stem that identifies a pool, in characters. */
const MIN_STEM_LENGTH = 3

/** Returns the common part of the names of one pool: `…/CognitoUserPool` of `…/CognitoUserPoolArn`. */
export function getPoolStem(name: string): string {
  // Items of a list are several pools.
  const [index = ''] = INDEX.exec(name) ?? []
  const value = name.replace(INDEX, '').replace(VALUE, '')
  const stem = ROLES.reduce((text, role) => text.replace(role, ''), value)
  const common = `${stem.length < MIN_STEM_LENGTH ? value : stem}${index}`
  return common.toLowerCase().replaceAll(/[^a-z0-9$]/g, '')
}
