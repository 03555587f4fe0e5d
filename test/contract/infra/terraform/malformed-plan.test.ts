import t from 'tap'
import { checkScopes, readTemplate, TemplateError } from '../../../../src/contract/infra/index.ts'
import { fixture } from '../../../support/templates.ts'

const PLAN = fixture('deployed/plan.json').text
const ODD = [null, true, -1, 'x', [], {}, [null], { x: [] }]

/** Reads and checks a text. Undefined, or the message of a template error with its position. */
async function readOdd(text: string): Promise<string | undefined> {
  try {
    checkScopes(await readTemplate({ file: 'plan.json', text }))
    return undefined
  } catch (error) {
    if (error instanceof TemplateError) return error.message
    throw error
  }
}

function listPaths(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, member]) => [
    [...path, key],
    ...listPaths(member, [...path, key]),
  ])
}

t.test(
  'a plan with an odd value in any place is read, or is an error with a position',
  async (t) => {
    const paths = listPaths(JSON.parse(PLAN))
    t.ok(paths.length > 500, `${paths.length} places`)
    let position = 0
    for (const path of paths) {
      position += 1
      const copy = JSON.parse(PLAN)
      const parent = path.slice(0, -1).reduce((object, key) => object[key], copy)
      parent[path.at(-1) as string] = ODD[position % ODD.length]
      const message = await readOdd(JSON.stringify(copy))
      if (message !== undefined) t.match(message, /^plan\.json:\d+:\d+: expected /, path.join('.'))
    }
  },
)

t.test('a plan that ends early is an error with a position', async (t) => {
  for (let end = 100; end < PLAN.length - 2; end += 997) {
    t.match(await readOdd(PLAN.slice(0, end)), /^plan\.json:\d+:\d+: expected valid JSON/)
  }
})
