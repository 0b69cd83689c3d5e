// Rows of text as columns of equal width: numbers to the right, the rest to the left, nothing wider than the terminal.
import { fit, pad, widthOf } from './width.ts'

/** A column of a table. */
export interface Column<Row> {
  readonly title: string
  /** What stands in the column; may hold colours. */
  readonly of: (row: Row) => string
  /** Default: to the left. */
  readonly align?: 'left' | 'right'
  /** Is the whole column left out where nothing stands in it? Default false. */
  readonly optional?: boolean
}

/** How a table is drawn. */
export interface TableOptions {
  /** Lines are cut to so many columns. Default: they are not. */
  readonly columns?: number
  /** How titles look. Default: as they are. */
  readonly title?: (text: string) => string
}

const gap = '  '

/**
 * The lines of a table, titles first. Where it is too wide, columns are made narrower, the widest first, down to eight letters; what then
 * does not fit is cut.
 */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { columns: room = Number.POSITIVE_INFINITY, title = (text) => text }: TableOptions = {},
): readonly string[] {
  const filled = columns
    .map((column) => ({ ...column, cells: rows.map((row) => flat(column.of(row))) }))
    .filter(({ optional, cells }) => !optional || cells.some((cell) => cell !== ''))
  const wanted = filled.map(({ title: name, cells }) => Math.max(widthOf(name), ...cells.map(widthOf)))
  const widths = narrowed(wanted, room - gap.length * (filled.length - 1))
  const line = (cells: readonly string[], styled = (text: string) => text): string => {
    const padded = cells.map((cell, i) => {
      const text = pad(fit(cell, widths[i]!), widths[i]!, filled[i]!.align)
      return styled(text)
    })
    return fit(padded.join(gap).trimEnd(), room)
  }
  const titles = filled.map(({ title: name }) => name)
  return [line(titles, title), ...rows.map((_, row) => line(filled.map(({ cells }) => cells[row]!)))]
}

/** A line break within a cell would tear the table apart. */
const flat = (text: string): string => text.replaceAll(/\s*\n\s*/g, ' ')

const narrowest = 8

function narrowed(wanted: readonly number[], room: number): readonly number[] {
  const widths = [...wanted]
  let over = widths.reduce((sum, width) => sum + width, 0) - room
  while (over > 0) {
    const widest = Math.max(...widths)
    if (widest <= narrowest) break
    widths[widths.lastIndexOf(widest)] = widest - 1
    over--
  }
  return widths
}
