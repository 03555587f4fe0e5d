/**
 * The kinds of mistakes that the mutation run plants. Each kind lists its sites in a unit: the edits of one file, and
 * the codes of which `check` should report one.
 */
import {
  applyEdits,
  getSyntax,
  listItems,
  listProperties,
  listResources,
  removeProperty,
} from './text.mjs'

const TYPES = {
  pool: ['AWS::Cognito::UserPool', 'aws_cognito_user_pool'],
  server: ['AWS::Cognito::UserPoolResourceServer', 'aws_cognito_resource_server'],
  client: ['AWS::Cognito::UserPoolClient', 'aws_cognito_user_pool_client'],
  restMethod: ['AWS::ApiGateway::Method', 'aws_api_gateway_method'],
  httpRoute: ['AWS::ApiGatewayV2::Route', 'aws_apigatewayv2_route'],
  restAuthorizer: ['AWS::ApiGateway::Authorizer', 'aws_api_gateway_authorizer'],
  samFunction: ['AWS::Serverless::Function'],
  api: [
    'AWS::Serverless::Api',
    'AWS::Serverless::HttpApi',
    'AWS::ApiGateway::RestApi',
    'AWS::ApiGatewayV2::Api',
    'aws_api_gateway_rest_api',
    'aws_apigatewayv2_api',
  ],
}

const PROPERTIES = {
  scopes: ['AllowedOAuthScopes', 'allowed_oauth_scopes'],
  flows: ['AllowedOAuthFlows', 'allowed_oauth_flows'],
  oauth: ['AllowedOAuthFlowsUserPoolClient', 'allowed_oauth_flows_user_pool_client'],
  secret: ['GenerateSecret', 'generate_secret'],
  userPool: ['UserPoolId', 'user_pool_id'],
  validity: ['AccessTokenValidity', 'access_token_validity'],
  identifier: ['Identifier', 'identifier'],
  scopeName: ['ScopeName', 'scope_name'],
  description: ['ScopeDescription', 'scope_description'],
  accepted: ['AuthorizationScopes', 'authorization_scopes'],
  ttl: ['AuthorizerResultTtlInSeconds', 'authorizer_result_ttl_in_seconds'],
  arns: ['ProviderARNs', 'provider_arns'],
  dependsOn: ['DependsOn', 'depends_on'],
}

/** Seconds: the longest time that API Gateway caches a decision, and the default lifetime of a token. */
const LONGEST_TTL = 3600
/** Minutes: the shortest lifetime of a token, and as long as API Gateway caches a decision by default. */
const SHORTEST_LIFETIME = 5
const TOO_LONG = 'Reads every order of every customer. '.repeat(8)

const MISSING = ['grant-undefined', 'scope-undefined']

/** Lists the resources of these kinds, with functions that find their properties. */
function* find(unit, ...kinds) {
  const types = kinds.flatMap((kind) => TYPES[kind])
  for (const [file, text] of unit.templates) {
    for (const block of listResources(file, text)) {
      if (!types.includes(block.type)) continue
      const all = (property) =>
        PROPERTIES[property].flatMap((name) => listProperties(file, text, block, name))
      const value = ({ valueStart, end }) => text.slice(valueStart, end)
      yield { file, text, block, all, value, first: (property) => all(property)[0] }
    }
  }
}

const unquote = (text) => text.trim().replace(/^(['"])(.*)\1$/, '$2')

/** Lists the names of scopes that the templates define literally, and those that the unit adds. */
function listScopeNames(unit) {
  const names = [...find(unit, 'server')].flatMap(({ all, value }) =>
    all('scopeName').map((property) => unquote(value(property))),
  )
  return new Set([...names.filter((name) => /^[\w.:-]+$/.test(name)), ...(unit.scopes ?? [])])
}

/** Finds the last name of a scope in a text, as a whole word. */
function findScopeName(text, names) {
  const found = [...text.matchAll(/[\w.:-]+/g)].filter(([word]) => names.has(word))
  return found.at(-1)
}

/** Swaps two letters. */
function misspell(name, names) {
  for (let index = 1; index + 1 < name.length; index++) {
    const changed = name.slice(0, index) + name[index + 1] + name[index] + name.slice(index + 2)
    if (changed !== name && !names.has(changed)) return changed
  }
  return `${name}s`
}

/** Misspells the last scope of a range of text. */
function misspellIn(text, { start, end }, names) {
  const found = findScopeName(text.slice(start, end), names)
  if (found === undefined) return []
  const from = start + found.index
  return [{ start: from, end: from + found[0].length, text: misspell(found[0], names) }]
}

/** Lists scopes in lists of these properties, with the edit that misspells each. */
function* misspelledItems(unit, property, ...kinds) {
  const names = listScopeNames(unit)
  for (const { file, text, all } of find(unit, ...kinds)) {
    for (const list of all(property)) {
      for (const item of listItems(file, text, list)) {
        const edits = misspellIn(text, item, names)
        if (edits.length > 0) yield { file, edits, expected: MISSING }
      }
    }
  }
}

function* machineClients(unit) {
  for (const client of find(unit, 'client')) {
    if (client.all('flows').some((flows) => client.value(flows).includes('client_credentials')))
      yield client
  }
}

/** Replaces the value of a property of each machine client. */
function* changedClients(unit, property, from, to, expected) {
  for (const { file, first, value } of machineClients(unit)) {
    const found = first(property)
    if (found === undefined || !from.test(value(found))) continue
    const text = value(found).replace(from, to)
    yield { file, edits: [{ start: found.valueStart, end: found.end, text }], expected: [expected] }
  }
}

/** Lists the scopes of each resource server: an item of `Scopes`, or a block of HCL. */
function* definedScopes(unit) {
  for (const server of find(unit, 'server')) {
    const { file, text, block } = server
    if (getSyntax(file) === 'hcl') {
      const inside = text.slice(block.start, block.end)
      for (const match of inside.matchAll(/^ *scope \{.*?^ *\}\n/gms)) {
        const start = block.start + match.index
        const end = start + match[0].length
        yield {
          ...server,
          start,
          end,
          remove: { start, end, text: '' },
          repeat: { start: end, end, text: match[0] },
        }
      }
      continue
    }
    for (const list of listProperties(file, text, block, 'Scopes'))
      for (const item of listItems(file, text, list)) yield { ...server, ...item }
  }
}

function* removedScopes(unit) {
  for (const { file, remove } of definedScopes(unit))
    yield { file, edits: [remove], expected: MISSING }
}

/** Returns where an identifier can be renamed. Names of parameters, variables and mappings are not its text. */
function findIdentifierEnd(text) {
  if (/^(?:!Ref|!FindInMap|var\.|local\.|each\.)/.test(text)) return undefined
  if (text.startsWith('{')) {
    const literal = /(?<!"Ref": *)"(?!Fn::|Ref")[\w.-]*\w(?=[.-]?"(?! *:))/.exec(text)
    return literal === null ? undefined : literal.index + literal[0].length
  }
  return text.length - (/['"\]]*$/.exec(text)?.[0].length ?? 0)
}

/** Renames identifiers that another text repeats. A reference to the resource server follows the new name. */
function* renamedIdentifiers(unit) {
  const scopes = listScopeNames(unit)
  for (const { file, text, first, value, block } of find(unit, 'server')) {
    const identifier = first('identifier')
    const at = identifier && findIdentifierEnd(value(identifier))
    if (at === undefined) continue
    const name = value(identifier)
      .slice(0, at)
      .replace(/^[\s\S]*["'[ ]/, '')
    const others = [...unit.files].map(([path, content]) =>
      path === file ? text.slice(0, block.start) + text.slice(block.end) : content,
    )
    const isRepeated = (content) =>
      [...scopes].some((scope) => content.includes(`${name}/${scope}`)) ||
      content.includes(`"${name}-"`)
    if (!others.some(isRepeated)) continue
    const start = identifier.valueStart + at
    yield { file, edits: [{ start, end: start, text: 'v2' }], expected: MISSING }
  }
}

/** Removes a grant that no other client has. */
function* removedGrants(unit) {
  const names = listScopeNames(unit)
  const grants = [...find(unit, 'client')].flatMap(({ file, text, all }) =>
    all('scopes').flatMap((list) =>
      listItems(file, text, list).map((item) => ({
        file,
        item,
        name: findScopeName(text.slice(item.start, item.end), names)?.[0],
      })),
    ),
  )
  for (const { file, item, name } of grants) {
    if (name === undefined || grants.filter((one) => one.name === name).length > 1) continue
    yield { file, edits: [item.remove], expected: ['scope-unused', 'client-no-scopes'] }
  }
}

function* mixedFlows(unit) {
  for (const { file, text, first } of machineClients(unit)) {
    const [item] = listItems(file, text, first('flows'))
    if (item === undefined) continue
    const edit = { ...item.repeat, text: item.repeat.text.replace('client_credentials', 'code') }
    yield { file, edits: [edit], expected: ['flow-mixed'] }
  }
}

/** Removes a dependency of a client, or writes its composed scopes as text. */
function* missingDependencies(unit) {
  const names = listScopeNames(unit)
  for (const { file, text, all, first } of machineClients(unit)) {
    const dependsOn = first('dependsOn')
    if (dependsOn !== undefined) {
      yield { file, edits: [removeProperty(text, dependsOn)], expected: ['scope-order'] }
      continue
    }
    const servers = [...find(unit, 'server')].filter((one) => one.file === file)
    const identifier = servers[0]?.first('identifier')
    const plain = identifier && unquote(servers[0].value(identifier))
    if (servers.length !== 1 || !/^[a-z][\w.:/-]+$/.test(plain) || /^(?:var|local)\./.test(plain))
      continue
    const items = all('scopes').flatMap((list) => listItems(file, text, list))
    const edits = items.flatMap(({ start, end }) => {
      const name = findScopeName(text.slice(start, end), names)?.[0]
      return name === undefined ? [] : [{ start, end, text: `"${plain}/${name}"` }]
    })
    // One scope that refers to the resource server is enough.
    if (edits.length > 0 && edits.length === items.length)
      yield { file, edits, expected: ['scope-order'] }
  }
}

/** Removes the scopes of REST methods and of SAM authorizers of REST APIs. */
function* missingScopes(unit) {
  const expected = ['authorizer-no-scopes']
  for (const { file, text, block, all } of find(unit, 'restMethod', 'api')) {
    if (block.type === 'AWS::Serverless::HttpApi') continue
    for (const scopes of all('accepted'))
      yield { file, edits: [removeProperty(text, scopes)], expected }
  }
}

/** Moves a client or resource server to another pool, or misspells the reference to its pool. */
function* wrongPools(unit) {
  const pools = [...find(unit, 'pool')]
  for (const { file, first, value } of [...machineClients(unit), ...find(unit, 'server')]) {
    const userPool = first('userPool')
    if (userPool === undefined) continue
    const text = value(userPool)
    const own = pools.find(
      (pool) =>
        pool.file === file &&
        new RegExp(`(?<![\\w.])${pool.block.id.replace('.', '\\.')}(?!\\w)`).test(text),
    )
    if (own === undefined) continue
    const other = pools.find((pool) => pool.file === file && pool !== own)
    const id = other?.block.id ?? `${own.block.id}s`
    const edit = {
      start: userPool.valueStart,
      end: userPool.end,
      text: text.replace(own.block.id, id),
    }
    const expected = other === undefined ? ['reference-missing'] : [...MISSING, 'scope-unused']
    yield { file, edits: [edit], expected }
  }
}

function* missingDescriptions(unit) {
  for (const { file, text, all } of find(unit, 'server')) {
    for (const description of all('description'))
      yield { file, edits: [removeProperty(text, description)], expected: ['cognito-limit'] }
  }
}

function* longDescriptions(unit) {
  for (const { file, all } of find(unit, 'server')) {
    for (const { valueStart, end } of all('description')) {
      const edit = { start: valueStart, end, text: `"${TOO_LONG.trim()}"` }
      yield { file, edits: [edit], expected: ['cognito-limit'] }
    }
  }
}

/** Caches decisions for as long as a token is valid. */
function* longCaches(unit) {
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

/** Inserts a property before another one. */
function insertBefore(text, { start, style }, property) {
  const column = start - text.lastIndexOf('\n', start) - 1
  const separator = style === 'flow' ? ', ' : `\n${' '.repeat(column)}`
  return { start, end: start, text: `${property}${separator}` }
}

/** Shortens the lifetime of tokens to that of cached decisions. */
function* shortTokens(unit) {
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
function* misspelledBodies(unit) {
  const names = listScopeNames(unit)
  for (const { file, text, block } of find(unit, 'api')) {
    for (const security of listProperties(file, text, block, 'security')) {
      const edits = misspellIn(text, { start: security.valueStart, end: security.end }, names)
      if (edits.length > 0) yield { file, edits, expected: MISSING }
    }
  }
}

/** Misspells scopes of the routes file and of the OpenAPI document. */
function* misspelledRoutes(unit) {
  const names = listScopeNames(unit)
  for (const [file, text] of unit.documents) {
    for (const { index, 0: scope } of text.matchAll(
      /(?<=["' [])[^\s"',[\]]+\/[\w.:-]+(?=["'\],\n])/g,
    )) {
      const edits = misspellIn(text, { start: index, end: index + scope.length }, names)
      if (edits.length > 0)
        yield {
          file,
          edits,
          expected: ['scope-undefined', 'document-differs', 'authorizer-excludes'],
        }
    }
  }
}

/** Mistakes that only the shape of one unit has: `unit.json` lists them. */
const planted = (kind) =>
  function* (unit) {
    for (const { kind: name, file, find: text, replace, expected } of unit.mistakes ?? []) {
      if (name !== kind) continue
      const start = unit.files.get(file).indexOf(text)
      if (start < 0) throw new Error(`${unit.name}/${file}: expected ${JSON.stringify(text)}`)
      yield { file, edits: [{ start, end: start + text.length, text: replace }], expected }
    }
  }

const kinds = {
  'scope misspelled in a grant': (unit) => misspelledItems(unit, 'scopes', 'client'),
  'scope misspelled in a route of API Gateway': (unit) =>
    misspelledItems(unit, 'accepted', 'restMethod', 'httpRoute', 'samFunction'),
  'scope misspelled in an authorizer or API body': function* (unit) {
    yield* misspelledItems(unit, 'accepted', 'api')
    yield* misspelledBodies(unit)
  },
  'scope misspelled in a route of the app': misspelledRoutes,
  'scope removed from the resource server': removedScopes,
  'identifier renamed': renamedIdentifiers,
  'grant removed': removedGrants,
  'secret off': (unit) => changedClients(unit, 'secret', /true/, 'false', 'client-no-secret'),
  'OAuth off': (unit) => changedClients(unit, 'oauth', /true/, 'false', 'oauth-off'),
  'mixed flow': mixedFlows,
  'dependency on the resource server missing': missingDependencies,
  'authorizer without scopes': missingScopes,
  'wrong pool': wrongPools,
  'scope description missing': missingDescriptions,
  'scope description too long': longDescriptions,
  'decisions cached for as long as tokens live': function* (unit) {
    yield* longCaches(unit)
    yield* shortTokens(unit)
  },
}

export const KINDS = Object.keys(kinds)

/**
 * Lists the mistakes of one kind: the first and the last site, so that a long file does not count more than others.
 *
 * @returns {{ kind: string, file: string, start: number, text: string, expected: string[] }[]}
 */
export function listMistakes(unit, kind) {
  const sites = [...kinds[kind](unit)]
  const chosen = sites.length > 1 ? [sites[0], sites.at(-1)] : sites
  return [...chosen, ...planted(kind)(unit)].map(({ file, edits, expected }) => ({
    kind,
    file,
    start: Math.min(...edits.map((edit) => edit.start)),
    change: edits.map((edit) => [unit.files.get(file).slice(edit.start, edit.end), edit.text]),
    text: applyEdits(unit.files.get(file), edits),
    expected,
  }))
}
