/** Formats tables and numbers for 80 columns. */
import { toPrintable } from '../../../core/util/text.ts'

/** A column: its title, its width, and the side on which its cells are padded. */
export interface TableColumn {
  readonly title: string
  readonly width: number
  readonly align: 'left' | 'right'
}

/** Digits in groups, the same in every locale. */
export function formatCount(count: number): string {
  return Math.round(count)
    .toString()
    .replaceAll(/\B(?=(?:\d{3})+$)/g, ',')
}

/** An amount with two decimals. Empty without a price. */
export function formatAmount(amount: number | null): string {
  if (amount === null) return ''
  const [whole = '', decimals = ''] = amount.toFixed(2).split('.')
  return `${formatCount(Number(whole))}.${decimals}`
}

/** Formats rows under titles. A text that is too long is cut, a number never. */
export function formatTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
): string {
  const titles = columns.map(({ title }) => title)
  return [titles, ...rows]
    .map((cells) => {
      const line = cells.map((cell, index) => pad(cell, columns[index] as TableColumn)).join('  ')
      return `${line.trimEnd()}\n`
    })
    .join('')
}

function pad(cell: string, { width, align }: TableColumn): string {
  if (align === 'right') return cell.padStart(width)
  const text = toPrintable(cell, width)
  return (text.length > width ? `${text.slice(0, width - 1)}…` : text).padEnd(width)
}
