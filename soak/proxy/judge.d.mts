import type { Row } from './rows.d.mts'

export interface Breach {
  readonly act: string
  readonly limit: string
  readonly measured: number
  readonly allowed: number
  readonly text: string
}

export function judge(rows: readonly Row[], faultFree: Row): readonly Breach[]
export function listUnjudgedActs(rows: readonly Pick<Row, 'name' | 'isBusy'>[]): readonly string[]
