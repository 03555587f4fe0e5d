/** Ids for clients that get theirs from Cognito: the same at every start, and known at sight. */
import type { InfraClient } from './model.ts'

/** Leaves room for a number. */
const LONGEST = 120

/** The client's name where the template tells it, else its logical id, in letters that an id may have. */
export function clientIds(clients: readonly InfraClient[]): ReadonlyMap<InfraClient, string> {
  const used = new Set<string>()
  return new Map(
    clients.map((client) => {
      const wanted = fitting(client)
      let id = wanted
      for (let count = 2; used.has(id); count += 1) id = `${wanted}-${count}`
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
