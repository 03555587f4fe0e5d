/** Compiled, never run. */
import type { CheckCode, Fact, Finding, InfraModel } from '../../src/contract/infra/index.ts'
import {
  checkScopes,
  readTemplate,
  renderTemplate,
  toDefinition,
} from '../../src/contract/infra/index.ts'

export const model: InfraModel = await readTemplate([{ file: 'a.tf', text: '' }], {
  parameters: { stage: 'test' },
})
export const name: Fact<string> | undefined = model.userPools[0]?.name
export const found: readonly Finding[] = checkScopes([model], {
  routes: [{ method: 'GET', path: '/', auth: false }],
})
export const code: CheckCode | undefined = found[0]?.code
export const files: readonly { file: string; text: string }[] = renderTemplate(
  toDefinition(model),
  'sam',
)

// @ts-expect-error an unknown fact may have no value
export const certain: string = name?.value
// @ts-expect-error a closed set of codes
export const other: CheckCode = 'something'
// @ts-expect-error an array of scopes
checkScopes(model, { routes: [{ method: 'GET', path: '/', auth: { scopes: 'a/b' } }] })
