/** Ids for clients that get theirs from Cognito: the same at every start, and known at sight. */
import type { InfraClient } from '../model/model.ts'

/** Leaves room for a number. */
const LONGEST = 120

/** The client's name where the template tells it, else its logical id, in letters that an id may have. */
export function clientIds(clients: readonly InfraClient[]): ReadonlyMap<InfraClient, string> {
  const used = new Set<string>()
  // Numbers that are taken need not be tried again by each client of that name.
  const next = new Map<string, number>()
  return new Map(
    clients.map((client) => {
      const wanted = fitting(client)
      let id = wanted
      let count = next.get(wanted) ?? 2
      for (; used.has(id); count += 1) id = `${wanted}-${count}`
      next.set(wanted, count)
      used.add(id)
      return [client, id]
    }),
  )
}

/** Terraform's address without its type. */
export const localName = (id: string): string => id.slice(id.lastIndexOf('.') + 1)

function fitting({ id, name }: InfraClient): string {
  const text = name?.value ?? localName(id)
  const fit = text.slice(0, LONGEST).replaceAll(/[^\w+.-]+/g, '-')
  return fit.replaceAll(/^-+|-+$/g, '') || 'client'
}
