/** Finds the clients whose ids a template refers to: directly, or through an export or SSM parameter of another one. */
import type { Fact, InfraClient, InfraModel, InfraOutput } from '../model/model.ts'

/** Returns the clients of a reference. Undefined if the value may be the id of any client. */
export type FindClients = (
  model: InfraModel,
  fact: Fact<string>,
) => readonly InfraClient[] | undefined

interface Publication {
  readonly model: InfraModel
  readonly value: Fact<string>
}

type Output = Pick<InfraOutput, 'value' | 'conditional'>

export function createClientFinder(models: readonly InfraModel[]): FindClients {
  const clients = new Map(models.map((model) => [model, groupClients(model)]))
  const published = indexPublications(models)
  const findDirectly: FindClients = (model, { source, pieces }) =>
    pieces === undefined ? clients.get(model)?.get(source.resource ?? '') : undefined
  return (model, fact) => {
    const { ssm, imported } = fact.source
    const name = ssm === undefined ? `export ${imported}` : `parameter ${ssm}`
    const publication = published.get(name)
    return publication === undefined
      ? findDirectly(model, fact)
      : findDirectly(publication.model, publication.value)
  }
}

/** Returns the logical id, or the Terraform address without the key of a member (`["billing"]`). */
export const getClientAddress = ({ id }: InfraClient): string => id.replace(/\[.*$/s, '')

/** Groups clients by address: members of a repeated block have one address. */
function groupClients({ clients }: InfraModel): ReadonlyMap<string, readonly InfraClient[]> {
  const groups = new Map<string, InfraClient[]>()
  for (const client of clients) {
    const address = getClientAddress(client)
    const group = groups.get(address)
    if (group === undefined) groups.set(address, [client])
    else group.push(client)
  }
  return groups
}

/** Indexes exports and SSM parameters by name. A name that is published twice is ambiguous, and left out. */
function indexPublications(models: readonly InfraModel[]): ReadonlyMap<string, Publication> {
  const publications = new Map<string, Publication>()
  const ambiguous = new Set<string>()
  const add = (
    kind: string,
    model: InfraModel,
    name: Fact<string> | undefined,
    one: Output,
  ): void => {
    if (name?.value === undefined || one.value === undefined || one.conditional) return
    const key = `${kind} ${name.value}`
    if (publications.has(key)) ambiguous.add(key)
    publications.set(key, { model, value: one.value })
  }
  for (const model of models) {
    for (const one of model.parameters) add('parameter', model, one.name, one)
    for (const one of model.outputs) add('export', model, one.exported, one)
  }
  for (const key of ambiguous) publications.delete(key)
  return publications
}
