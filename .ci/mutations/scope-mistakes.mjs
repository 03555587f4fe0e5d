/** Mistakes about the scopes of resource servers, clients and apps. */
import {
  find,
  findScopeName,
  listScopeNames,
  MISSING,
  machineClients,
  misspellIn,
  unquote,
} from './find.mjs'
import { getSyntax, listItems, listProperties, removeProperty } from './text.mjs'

const TOO_LONG = 'Reads every order of every customer. '.repeat(8)

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

export function* removedScopes(unit) {
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
export function* renamedIdentifiers(unit) {
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
export function* removedGrants(unit) {
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

/** Removes the list of scopes of a machine client. */
export function* missingGrants(unit) {
  for (const { file, text, first } of machineClients(unit)) {
    const scopes = first('scopes')
    if (scopes === undefined) continue
    yield {
      file,
      edits: [removeProperty(text, scopes)],
      expected: ['client-no-scopes', 'scope-unused'],
    }
  }
}

/** Adds a scope of users to a list of grants. */
export function* reservedScopes(unit) {
  for (const { file, text, all } of machineClients(unit)) {
    const [item] = all('scopes').flatMap((list) => listItems(file, text, list))
    if (item === undefined) continue
    const separator = item.repeat.text.slice(0, -(item.end - item.start))
    const added = getSyntax(file) === 'yaml' ? 'openid' : '"openid"'
    yield {
      file,
      edits: [{ ...item.repeat, text: `${separator}${added}` }],
      expected: ['scope-reserved'],
    }
  }
}

/** Removes a dependency of a client, or writes its composed scopes as text. */
export function* missingDependencies(unit) {
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

export function* missingDescriptions(unit) {
  for (const { file, text, all } of find(unit, 'server')) {
    for (const description of all('description'))
      yield { file, edits: [removeProperty(text, description)], expected: ['cognito-limit'] }
  }
}

export function* longDescriptions(unit) {
  for (const { file, all } of find(unit, 'server')) {
    for (const { valueStart, end } of all('description')) {
      const edit = { start: valueStart, end, text: `"${TOO_LONG.trim()}"` }
      yield { file, edits: [edit], expected: ['cognito-limit'] }
    }
  }
}

/** Misspells scopes of the routes file and of the OpenAPI document. */
export function* misspelledRoutes(unit) {
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
