/** Mistakes about APIs and their authorizers. */
import {
  find,
  insertBefore,
  listScopeNames,
  MISSING,
  machineClients,
  misspellIn,
  PROPERTIES,
} from './find.mjs'
import { getSyntax, listItems, listProperties, removeProperty } from './text.mjs'

/** Seconds: the longest time that API Gateway caches a decision, and the default lifetime of a token. */
const LONGEST_TTL = 3600
/** Minutes: the shortest lifetime of a token, and as long as API Gateway caches a decision by default. */
const SHORTEST_LIFETIME = 5

/** Removes the scopes of REST methods and of SAM authorizers of REST APIs. */
export function* missingScopes(unit) {
  const expected = ['authorizer-no-scopes']
  for (const { file, text, block, all } of find(unit, 'restMethod', 'api')) {
    if (block.type === 'AWS::Serverless::HttpApi') continue
    for (const scopes of all('accepted'))
      yield { file, edits: [removeProperty(text, scopes)], expected }
  }
}

/** Caches decisions for as long as a token is valid. */
export function* longCaches(unit) {
  const expected = ['lifetime-ttl']
  for (const { file, first } of find(unit, 'restAuthorizer')) {
    const ttl = first('ttl')
    const arns = first('arns')
    if (ttl !== undefined) {
      yield {
        file,
        edits: [{ start: ttl.valueStart, end: ttl.end, text: `${LONGEST_TTL}` }],
        expected,
      }
    } else if (arns !== undefined) {
      const [cloudformation, terraform] = PROPERTIES.ttl
      const line = {
        yaml: `${cloudformation}: ${LONGEST_TTL}`,
        json: `"${cloudformation}": ${LONGEST_TTL}`,
        hcl: `${terraform} = ${LONGEST_TTL}`,
      }[getSyntax(file)]
      yield { file, edits: [insertBefore(unit.templates.get(file), arns, line)], expected }
    }
  }
}

/** Shortens the lifetime of tokens to that of cached decisions. */
export function* shortTokens(unit) {
  if ([...find(unit, 'restAuthorizer')].length === 0) return
  for (const { file, first, value } of machineClients(unit)) {
    const validity = first('validity')
    // One digit is hours.
    if (validity === undefined || !/^\d\d+$/.test(value(validity))) continue
    const edit = { start: validity.valueStart, end: validity.end, text: `${SHORTEST_LIFETIME}` }
    yield { file, edits: [edit], expected: ['lifetime-ttl'] }
  }
}

/** Misspells scopes of the OpenAPI body of an API. */
export function* misspelledBodies(unit) {
  const names = listScopeNames(unit)
  for (const { file, text, block } of find(unit, 'api')) {
    for (const security of listProperties(file, text, block, 'security')) {
      const edits = misspellIn(text, { start: security.valueStart, end: security.end }, names)
      if (edits.length > 0) yield { file, edits, expected: MISSING }
    }
  }
}

export function* missingAuthorizers(unit) {
  for (const { file, text, all } of find(unit, 'restMethod')) {
    for (const authorizer of all('authorizer'))
      yield { file, edits: [removeProperty(text, authorizer)], expected: ['authorizer-missing'] }
  }
}

/** Refers to the id of a pool instead of its ARN. */
export function* poolIds(unit) {
  const forms = [
    [/!GetAtt (\w+)\.Arn/, '!Ref $1'],
    [/\{\s*"Fn::GetAtt": \[\s*"(\w+)",\s*"Arn"\s*\]\s*\}/, '{ "Ref": "$1" }'],
    [/(aws_cognito_user_pool\.\w+)\.arn/, '$1.id'],
  ]
  for (const { file, first, value } of find(unit, 'restAuthorizer')) {
    const arns = first('arns')
    const form = arns && forms.find(([pattern]) => pattern.test(value(arns)))
    if (form === undefined) continue
    const edit = { start: arns.valueStart, end: arns.end, text: value(arns).replace(...form) }
    yield { file, edits: [edit], expected: ['authorizer-provider'] }
  }
}

/** Ends an issuer with a slash. */
export function* wrongIssuers(unit) {
  for (const { file, text, all, value } of find(unit, 'jwtAuthorizer')) {
    for (const issuer of all('issuer')) {
      const quote = /["']$/.exec(value(issuer))?.[0].length ?? 0
      const at = issuer.end - quote
      // A list of pieces has no end that an edit could extend.
      if (!/[\w}]$/.test(text.slice(issuer.valueStart, at)) || value(issuer).startsWith('{'))
        continue
      yield { file, edits: [{ start: at, end: at, text: '/' }], expected: ['authorizer-issuer'] }
    }
  }
}

export function* missingAudiences(unit) {
  for (const { file, text, all } of find(unit, 'jwtAuthorizer')) {
    for (const audience of all('audience')) {
      const items = listItems(file, text, audience)
      for (const { remove } of items.length > 1 ? items : [])
        yield { file, edits: [remove], expected: ['authorizer-audience'] }
    }
  }
}

/** Uses the type of authorization of the other kind of API. */
export function* wrongTypes(unit) {
  const types = [
    ['restMethod', 'COGNITO_USER_POOLS', 'JWT'],
    ['httpRoute', 'JWT', 'COGNITO_USER_POOLS'],
  ]
  for (const [kind, from, to] of types) {
    for (const { file, all, value } of find(unit, kind)) {
      for (const type of all('authorization')) {
        if (!value(type).includes(from)) continue
        const edit = { start: type.valueStart, end: type.end, text: value(type).replace(from, to) }
        yield { file, edits: [edit], expected: ['authorizer-mismatch'] }
      }
    }
  }
}

/** Lists the pool in an audience, in place of a client. */
export function* poolAudiences(unit) {
  for (const { file, text, all } of find(unit, 'jwtAuthorizer')) {
    const pool = [...find(unit, 'pool')].find((one) => one.file === file)
    if (pool === undefined) continue
    const { id } = pool.block
    const forms = [
      [/^!Ref \w+$/, `!Ref ${id}`],
      [/^\{\s*"Ref": "\w+"\s*\}$/, `{ "Ref": "${id}" }`],
      [/^aws_cognito_user_pool_client\.[\w.]+$/, `${id}.id`],
    ]
    for (const item of all('audience').flatMap((list) => listItems(file, text, list))) {
      const form = forms.find(([pattern]) => pattern.test(text.slice(item.start, item.end)))
      if (form === undefined) continue
      const edit = { start: item.start, end: item.end, text: form[1] }
      yield { file, edits: [edit], expected: ['authorizer-audience'] }
    }
  }
}
