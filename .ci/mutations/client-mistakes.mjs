/** Mistakes about clients, user pools and templates. */
import { find, MISSING, machineClients } from './find.mjs'
import { getSyntax, listItems } from './text.mjs'

const TRANSFORM = /^Transform: AWS::Serverless-2016-10-31\n/m

/** Replaces the value of a property of each machine client. */
export function* changedClients(unit, property, from, to, expected) {
  for (const { file, first, value } of machineClients(unit)) {
    const found = first(property)
    if (found === undefined || !from.test(value(found))) continue
    const text = value(found).replace(from, to)
    yield { file, edits: [{ start: found.valueStart, end: found.end, text }], expected: [expected] }
  }
}

export function* mixedFlows(unit) {
  for (const { file, text, first } of machineClients(unit)) {
    const [item] = listItems(file, text, first('flows'))
    if (item === undefined) continue
    const edit = { ...item.repeat, text: item.repeat.text.replace('client_credentials', 'code') }
    yield { file, edits: [edit], expected: ['flow-mixed'] }
  }
}

/** Moves a client or resource server to another pool, or misspells the reference to its pool. */
export function* wrongPools(unit) {
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
    const expected = other === undefined ? ['reference-missing'] : MISSING
    yield { file, edits: [edit], expected }
  }
}

/** Refers to the ARN of a pool that the file creates instead of its id. */
export function* poolArns(unit) {
  const forms = [
    [/^!Ref (\w+)$/, '!GetAtt $1.Arn'],
    [/^\{\s*"Ref": "(\w+)"\s*\}$/, '{ "Fn::GetAtt": ["$1", "Arn"] }'],
    [/^(aws_cognito_user_pool\.\w+)\.id$/, '$1.arn'],
  ]
  const pools = [...find(unit, 'pool')]
  for (const { file, first, value } of [...machineClients(unit), ...find(unit, 'server')]) {
    const userPool = first('userPool')
    const text = userPool === undefined ? '' : value(userPool)
    const form = forms.find(([pattern]) => {
      const [, id] = pattern.exec(text) ?? []
      return pools.some((pool) => pool.file === file && pool.block.id === id)
    })
    if (form === undefined) continue
    const edit = { start: userPool.valueStart, end: userPool.end, text: text.replace(...form) }
    yield { file, edits: [edit], expected: ['pool-reference'] }
  }
}

/** Begins the prefix of a domain with a reserved word. */
export function* reservedPrefixes(unit) {
  for (const { file, text, block, all, value } of find(unit, 'domain')) {
    const content = text.slice(block.start, block.end)
    if (/CustomDomainConfig|certificate_arn/.test(content)) continue
    for (const property of all('domain')) {
      // The resource itself may be named Domain.
      if (text.slice(block.start, property.start).trim() === '') continue
      const start = (getSyntax(file) === 'yaml' ? /^(?:!Sub )?["']?/ : /^"/).exec(value(property))
      const at = property.valueStart + (start?.[0].length ?? 0)
      if (start === null || !/[a-z\d$]/.test(text[at])) continue
      yield { file, edits: [{ start: at, end: at, text: 'aws-' }], expected: ['cognito-limit'] }
    }
  }
}

/** Removes the domains of pools with machine clients. */
export function* missingDomains(unit) {
  const pools = [...machineClients(unit)].map(({ first, value }) => value(first('userPool')))
  for (const { file, text, block, first, value } of find(unit, 'domain')) {
    if (!pools.includes(value(first('userPool')))) continue
    const start = text.lastIndexOf('\n', block.start) + 1
    const comma = /^,?\n*/.exec(text.slice(block.end))?.[0].length ?? 0
    const edits = [{ start, end: block.end + comma, text: '' }]
    yield { file, edits, expected: ['pool-no-domain', 'reference-missing'] }
  }
}

/** Chooses a version that Cognito does not call for machines, where a pool has no users. */
export function* wrongTriggerVersions(unit) {
  if ([...find(unit, 'client')].length > [...machineClients(unit)].length) return
  for (const { file, all } of find(unit, 'pool')) {
    for (const { valueStart, end } of all('triggerVersion')) {
      const edit = { start: valueStart, end, text: getSyntax(file) === 'yaml' ? 'V1_0' : '"V1_0"' }
      yield { file, edits: [edit], expected: ['trigger-version'] }
    }
  }
}

export function* missingTransforms(unit) {
  for (const [file, text] of unit.templates) {
    const found = TRANSFORM.exec(text)
    if (found === null) continue
    const edit = { start: found.index, end: found.index + found[0].length, text: '' }
    yield { file, edits: [edit], expected: ['transform-missing'] }
  }
}
