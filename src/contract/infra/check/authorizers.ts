/** Findings about the settings of authorizers: user pool ARNs, issuers, and routes without their authorizer. */
import { toPrintable } from '../../../core/util/text.ts'
import type { Fact, InfraAuthorizer, InfraModel, InfraRoute } from '../model/model.ts'
import { chooseByDialect } from './clients.ts'
import { createFinding, type Finding } from './finding.ts'

/** Attributes of a user pool, in both dialects, that are no ARN. */
const POOL_ID_ATTRIBUTES: ReadonlySet<string> = new Set(['Ref', 'UserPoolId', 'id'])
const ARN_ATTRIBUTES: ReadonlySet<string> = new Set(['Arn', 'arn'])
/** The issuer without its scheme. */
const HOST_ATTRIBUTES: ReadonlySet<string> = new Set(['ProviderName', 'endpoint'])
const HTTPS = 'https://'
const ARN = 'arn:'

export const checkAuthorizerSettings = (model: InfraModel): Finding[] => [
  ...model.authorizers.flatMap((authorizer) =>
    authorizer.kind === 'rest'
      ? checkProviderArns(model, authorizer)
      : checkIssuer(model, authorizer),
  ),
  ...model.routes.filter(({ hasNoAuthorizer }) => hasNoAuthorizer === true).map(reportNoAuthorizer),
]

function reportNoAuthorizer({ id, at }: InfraRoute): Finding {
  const message = `${toPrintable(id)} requires a Cognito token and names no authorizer: API Gateway rejects it`
  const fix = 'set AuthorizerId (Terraform: authorizer_id)'
  return createFinding(at, 'error', 'authorizer-missing', message, fix, { resource: id })
}

/** Returns the attribute of a user pool, if it is the whole value and the template has the pool. */
function findPoolAttribute({ userPools }: InfraModel, { source, pieces }: Fact<string>): string {
  const { resource, attribute = '' } = source
  const isPool = userPools.some(({ id }) => id === resource || id.startsWith(`${resource}[`))
  return isPool && pieces === undefined ? attribute : ''
}

/** Returns the known text at the start of a value. */
function getKnownStart({ value, pieces }: Fact<string>): string {
  const [first] = pieces ?? [value]
  return typeof first === 'string' ? first : ''
}

/** Whether a value that starts with `start` can start with `expected`. */
const mayStartWith = (start: string, expected: string): boolean =>
  start.startsWith(expected) || expected.startsWith(start)

function checkProviderArns(model: InfraModel, authorizer: InfraAuthorizer): Finding[] {
  const { id, at, userPools, complete } = authorizer
  const report = (position: Fact<string>['at'], actual: string): Finding => {
    const message = `${toPrintable(id)}: expected ARNs of user pools, got ${actual}`
    const pool = toPrintable(model.userPools[0]?.id ?? 'Pool')
    const fix = chooseByDialect(model, `use !GetAtt ${pool}.Arn`, `use ${pool}.arn`)
    const subject = { resource: id, value: actual }
    return createFinding(position, 'error', 'authorizer-provider', message, fix, subject)
  }
  const isEmpty =
    userPools === undefined ? complete : userPools.complete && userPools.items.length === 0
  if (isEmpty) return [report(userPools?.at ?? at, 'none')]
  return (userPools?.items ?? []).flatMap((item) => {
    const attribute = findPoolAttribute(model, item)
    if (POOL_ID_ATTRIBUTES.has(attribute)) return [report(item.at, 'an id')]
    const start = getKnownStart(item)
    // A known value is complete, so it must contain the whole prefix.
    const isArn = item.value === undefined ? mayStartWith(start, ARN) : start.startsWith(ARN)
    return isArn ? [] : [report(item.at, toPrintable(start, 60))]
  })
}

function checkIssuer(model: InfraModel, { id, userPools }: InfraAuthorizer): Finding[] {
  const [issuer] = userPools?.items ?? []
  const problem = issuer && findIssuerProblem(model, issuer)
  if (issuer === undefined || problem === undefined) return []
  const message = `${toPrintable(id)}: expected the https URL of an issuer, got ${problem}`
  const fix = `use ${HTTPS}cognito-idp.REGION.amazonaws.com/POOL_ID`
  const subject = { resource: id, value: problem }
  return [createFinding(issuer.at, 'error', 'authorizer-issuer', message, fix, subject)]
}

function findIssuerProblem(model: InfraModel, issuer: Fact<string>): string | undefined {
  const attribute = findPoolAttribute(model, issuer)
  const start = getKnownStart(issuer).toLowerCase()
  const pieces = issuer.pieces ?? []
  const hasArn = pieces.some(
    (piece) => typeof piece !== 'string' && ARN_ATTRIBUTES.has(piece.attribute ?? ''),
  )
  if (ARN_ATTRIBUTES.has(attribute) || start.startsWith(ARN) || hasArn) return 'an ARN'
  if (POOL_ID_ATTRIBUTES.has(attribute)) return 'the id of a user pool'
  const isHttps = issuer.value === undefined ? mayStartWith(start, HTTPS) : start.startsWith(HTTPS)
  if (HOST_ATTRIBUTES.has(attribute) || !isHttps) return 'a text without https'
  const end = issuer.value ?? pieces.at(-1)
  const isCognito =
    (issuer.value ?? pieces.join()).includes('cognito-idp.') ||
    model.userPools.some(({ id }) => issuer.refs.includes(id))
  return isCognito && typeof end === 'string' && end.endsWith('/')
    ? 'a slash at its end'
    : undefined
}
