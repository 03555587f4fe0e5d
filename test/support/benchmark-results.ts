/** Reads the results of the comparison with peers, as the benchmark wrote them. */
import { readFileSync } from 'node:fs'

export const RESULTS = 'bench/peers/results'

/** The results of one version of Node.js and number of cores: `node-22-cores-1`. */
export class BenchmarkResults {
  readonly #text: string

  constructor(folder: string) {
    this.#text = readFileSync(`${RESULTS}/${folder}/README.md`, 'utf8')
  }

  /**
   * @param title The beginning of a table's heading.
   * @param column Index of the column, without that of the names.
   * @returns The median of a cell, without quartiles.
   */
  read(title: string, peer: string, column: number): string {
    const [, table = ''] = this.#text.split(`### ${title}`)
    const row = table.split('\n').find((line) => line.startsWith(`| ${peer} |`)) ?? ''
    return row.split('|')[2 + column]?.trim().split(' ')[0] ?? ''
  }
}
