/** A SAM template and the CloudFormation template that SAM generates for it have the same findings. */
import t from 'tap'
import {
  type AppRoute,
  checkScopes,
  type Finding,
  readTemplate,
} from '../../../../src/contract/infra/index.ts'
import { fixture } from '../../../support/templates.ts'

/** A mistake in both templates, and the codes of its findings. */
interface Mistake {
  readonly name: string
  readonly source: readonly [before: string, after: string]
  readonly translated: readonly [before: string, after: string]
  readonly codes: readonly string[]
}

const REST_ROUTES: readonly AppRoute[] = [
  { method: 'GET', path: '/parcels', auth: { scopes: ['parcels/track'] } },
  { method: 'PUT', path: '/parcels', auth: { scopes: ['parcels/redirect'] } },
  { method: 'POST', path: '/losses', auth: { scopes: ['parcels/lose'] } },
  { method: 'GET', path: '/health', auth: false },
]
const REST: readonly Mistake[] = [
  {
    name: 'misspelled scope of an event',
    source: ['AuthorizationScopes: [parcels/redirect]', 'AuthorizationScopes: [parcels/redirct]'],
    translated: ['"Machines":["parcels/redirect"', '"Machines":["parcels/redirct"'],
    codes: ['authorizer-excludes', 'scope-undefined'],
  },
  {
    name: 'misspelled scope of an authorizer',
    source: ['AuthorizationScopes: [parcels/lose]', 'AuthorizationScopes: [parcels/loose]'],
    translated: ['"Couriers":["parcels/lose"', '"Couriers":["parcels/loose"'],
    codes: ['authorizer-excludes', 'scope-undefined'],
  },
  {
    name: 'route without an authorizer',
    source: ['Auth: { Authorizer: Couriers }', 'Auth: { Authorizer: NONE }'],
    translated: ['"Couriers":["parcels/lose"]', '"NONE":[]'],
    codes: ['route-open-in-template'],
  },
  {
    name: 'authorizer without scopes',
    source: [
      'Auth: { AuthorizationScopes: [parcels/redirect] }',
      'Auth: { AuthorizationScopes: [] }',
    ],
    translated: ['"Machines":["parcels/redirect"]', '"Machines":[]'],
    codes: ['authorizer-no-scopes'],
  },
  {
    name: 'renamed scope',
    source: ['ScopeName: track', 'ScopeName: trace'],
    translated: ['"ScopeName":"track"', '"ScopeName":"trace"'],
    codes: ['grant-undefined', 'scope-undefined', 'scope-unused'],
  },
]

const HTTP_ROUTES: readonly AppRoute[] = [
  { method: 'POST', path: '/votes', auth: { scopes: ['votes/cast'] } },
  { method: 'GET', path: '/count', auth: { scopes: ['votes/count'] } },
  { method: 'GET', path: '/health', auth: false },
]
const HTTP: readonly Mistake[] = [
  {
    name: 'misspelled scope of an event',
    source: ['AuthorizationScopes: [votes/cast]', 'AuthorizationScopes: [votes/csat]'],
    translated: ['"Jwt":["votes/cast"', '"Jwt":["votes/csat"'],
    codes: ['authorizer-excludes', 'scope-undefined'],
  },
  {
    name: 'misspelled default scope',
    source: ['AuthorizationScopes: [votes/count]', 'AuthorizationScopes: [votes/coutn]'],
    translated: ['"Jwt":["votes/count"', '"Jwt":["votes/coutn"'],
    codes: ['authorizer-excludes', 'scope-undefined'],
  },
  {
    name: 'route without an authorizer',
    source: ['Auth: { AuthorizationScopes: [votes/cast] }', 'Auth: { Authorizer: NONE }'],
    translated: ['"Jwt":["votes/cast"]', '"NONE":[]'],
    codes: ['route-open-in-template'],
  },
]

async function check(file: string, change: readonly [string, string], routes: readonly AppRoute[]) {
  const content = fixture(`translated/${file}`).text
  // On one line, JSON needs no spaces in the changes.
  const text = file.endsWith('.json') ? JSON.stringify(JSON.parse(content)) : content
  const [before, after] = change
  if (!text.includes(before)) throw new Error(`${file}: expected ${before}`)
  const model = await readTemplate({ file, text: text.replace(before, () => after) })
  return checkScopes(model, { routes }).map(describe).sort()
}

/** What a finding says without its place: ids of routes differ. */
const describe = ({ severity, code, value = '' }: Finding): string => `${severity} ${code} ${value}`

for (const [folder, routes, mistakes] of [
  ['rest', REST_ROUTES, REST],
  ['http', HTTP_ROUTES, HTTP],
] as const) {
  t.test(`${folder}: no findings in the source and its translation`, async (t) => {
    t.strictSame(await check(`${folder}/source.yaml`, ['', ''], routes), [])
    t.strictSame(await check(`${folder}/translated.json`, ['', ''], routes), [])
  })
  for (const { name, source, translated, codes } of mistakes) {
    t.test(`${folder}: ${name}: the same findings`, async (t) => {
      const found = await check(`${folder}/source.yaml`, source, routes)
      t.strictSame(await check(`${folder}/translated.json`, translated, routes), found)
      t.strictSame([...new Set(found.map((text) => text.split(' ')[1]))].sort(), codes)
    })
  }
}
