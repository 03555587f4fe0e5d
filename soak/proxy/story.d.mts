import type { FinishedAct } from './rows.d.mts'

export function planActs(
  seconds: number,
): readonly (Pick<FinishedAct, 'name' | 'limits' | 'refusals'> & { readonly ms: number })[]
