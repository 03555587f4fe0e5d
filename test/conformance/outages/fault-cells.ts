/** The product of the fault matrices: which fault is rehearsed on which surface. */
import { sample } from '../../support/sample.ts'
import type { Surface } from '../behavior/endpoint.ts'
import { familyOf, surfacesByCache } from '../behavior/surfaces.ts'
import { type Fault, faults } from './faults.ts'

export interface FaultCell {
  readonly fault: Fault
  readonly surface: Surface
}

/** The sample has every fault, every surface, and every error code on every family of surfaces. */
export function faultCells(matrix: string): readonly FaultCell[] {
  const cells = faults.flatMap((fault) => surfacesByCache.map((surface) => ({ fault, surface })))
  return sample(matrix, cells, ({ fault, surface }) => [
    `fault ${fault.name}`,
    `surface ${surface.name}`,
    `${fault.code} on ${familyOf(surface)}`,
  ])
}
