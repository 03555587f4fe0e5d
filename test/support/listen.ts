/** Collects events of the diagnostics channels while a test runs. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { DiagnosticsEvents } from '../../src/index.ts'

export type Name = keyof DiagnosticsEvents

export const NAMES: readonly Name[] = [
  'cognito-m2m:decision',
  'cognito-m2m:fetch',
  'cognito-m2m:jwks-change',
  'cognito-m2m:jwks-error',
  'cognito-m2m:unknown-kid',
  'cognito-m2m:token-request',
  'cognito-m2m:client-token',
]

/** Every event of one resource server in order; events of all servers without an instance. */
export function listen(
  t: { teardown(handler: () => unknown): unknown },
  names: readonly Name[] = NAMES,
) {
  const heard: { readonly name: Name; readonly event: DiagnosticsEvents[Name] }[] = []
  const listener = (event: unknown, name: string | symbol): void => {
    heard.push({ name: name as Name, event: event as DiagnosticsEvents[Name] })
  }
  for (const name of names) subscribe(name, listener)
  t.teardown(() => {
    for (const name of names) unsubscribe(name, listener)
  })
  return {
    heard,
    of: <Heard extends Name>(name: Heard, instance?: number): DiagnosticsEvents[Heard][] =>
      heard
        .filter((it) => it.name === name)
        .map(({ event }) => event as DiagnosticsEvents[Heard])
        .filter((event) => instance === undefined || event.instance === instance),
  }
}

/** Settles with the next event of a channel. */
export function told<Heard extends Name>(name: Heard): Promise<DiagnosticsEvents[Heard]> {
  return new Promise((resolve) => {
    const listener = (event: unknown): void => {
      unsubscribe(name, listener)
      resolve(event as DiagnosticsEvents[Heard])
    }
    subscribe(name, listener)
  })
}
