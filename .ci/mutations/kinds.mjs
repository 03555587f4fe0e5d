/**
 * The kinds of mistakes that the mutation run plants. Each kind lists its sites in a unit: the edits of one file, and
 * the codes of which `check` should report one.
 */
import {
  changedClients,
  missingDomains,
  missingTransforms,
  mixedFlows,
  poolArns,
  reservedPrefixes,
  wrongPools,
  wrongTriggerVersions,
} from './client-mistakes.mjs'
import { misspelledItems } from './find.mjs'
import {
  longCaches,
  missingAudiences,
  missingAuthorizers,
  missingScopes,
  misspelledBodies,
  poolAudiences,
  poolIds,
  shortTokens,
  wrongIssuers,
  wrongTypes,
} from './gateway-mistakes.mjs'
import {
  longDescriptions,
  missingDependencies,
  missingDescriptions,
  missingGrants,
  misspelledRoutes,
  removedGrants,
  removedScopes,
  renamedIdentifiers,
  reservedScopes,
} from './scope-mistakes.mjs'
import { applyEdits } from './text.mjs'

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
  'flow misspelled': (unit) =>
    changedClients(unit, 'flows', /client_credentials/, 'client_credential', 'flow-invalid'),
  'client without scopes': missingGrants,
  'scope of users granted to a machine': reservedScopes,
  'dependency on the resource server missing': missingDependencies,
  'authorizer without scopes': missingScopes,
  'authorizer missing': missingAuthorizers,
  'pool id instead of its ARN': poolIds,
  'issuer with a slash at its end': wrongIssuers,
  'client missing from the audience': missingAudiences,
  'pool in the audience': poolAudiences,
  'authorization of the other kind of API': wrongTypes,
  'wrong pool': wrongPools,
  'ARN of the pool instead of its id': poolArns,
  'reserved word in the domain prefix': reservedPrefixes,
  'domain of the pool missing': missingDomains,
  'trigger version without machine tokens': wrongTriggerVersions,
  'Transform of SAM missing': missingTransforms,
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
