/** What a document's `security` asks for, as the requirement of a route. */
import { printable } from '../../../core/util/text.ts'
import { type Position, TemplateError } from '../position.ts'
import { followed, listOf, mapOf, textOf } from '../syntax/tree.ts'
import type { Tree } from '../syntax/yaml.ts'
import type { AppRequirement, AppRoute } from './route.ts'

/** Scheme name → whether a token of Cognito's is what it takes. */
export type Schemes = ReadonlyMap<string, boolean>

/** `components.securitySchemes`. */
export function schemesOf(root: Tree): Schemes {
  const components = mapOf(mapOf(root).get('components')?.value)
  const schemes = new Map<string, boolean>()
  for (const [name, { value }] of mapOf(components.get('securitySchemes')?.value)) {
    schemes.set(name, takesToken(followed(value, root)))
  }
  return schemes
}

function takesToken(scheme: Tree): boolean {
  const members = mapOf(scheme)
  const text = (name: string) => textOf(members.get(name)?.value)
  switch (text('type')) {
    case 'oauth2':
      return mapOf(members.get('flows')?.value).has('clientCredentials')
    case 'http':
      return text('scheme')?.toLowerCase() === 'bearer'
    case 'openIdConnect':
      return true
    default:
      return false
  }
}

type Security = Pick<AppRoute, 'auth'> & { readonly scopesAt: ReadonlyMap<string, Position> }

/** No `security` at all, as an empty one, asks for nothing. */
export function requirementOf(security: Tree | undefined, schemes: Schemes): Security {
  const scopesAt = new Map<string, Position>()
  const requirements = listOf(security).map((requirement) => {
    const named = [...mapOf(requirement)]
    const scopes: string[] = []
    for (const [name, { at, value }] of named) {
      if (!schemes.has(name)) {
        const problem = `names ${printable(name)}, which components.securitySchemes does not have`
        throw new TemplateError(at, `${problem}: define it, or correct the spelling`)
      }
      for (const item of listOf(value)) {
        const scope = textOf(item) as string
        if (schemes.get(name) !== true) continue
        scopes.push(scope)
        if (!scopesAt.has(scope)) scopesAt.set(scope, item.at)
      }
    }
    const token = named.some(([name]) => schemes.get(name))
    return { empty: named.length === 0, token, scopes }
  })
  const choices = requirements.filter(({ token }) => token).map(({ scopes }) => scopes)
  const flags: AppRequirement = {
    ...(requirements.some(({ empty }) => empty) && { optional: true }),
    ...(requirements.some(({ empty, token }) => !empty && !token) && { other: true }),
  }
  const auth = requirements.length === 0 ? false : { ...alternatives(choices), ...flags }
  return { auth, scopesAt }
}

function alternatives(choices: readonly (readonly string[])[]): AppRequirement {
  const [only = []] = choices
  if (choices.length < 2) return only.length === 0 ? {} : { scopes: only }
  return { anyOf: choices.map((choice) => (choice.length === 1 ? String(choice) : choice)) }
}
