// CSV for writing: a header and one record for each row.
import type { NDArray, Scalar } from '@shoal/core'
import { ShapeError } from '@shoal/core'
import Papa from 'papaparse'
import { lengthOf } from '../structure.ts'

/**
 * The text of a table, quoted where needed, with a header of the names and \n at the end of each record.
 * @throws ShapeError when columns are not of rank 1 and equal length.
 */
export function writeCsv(columns: Readonly<Record<string, NDArray>>): string {
  const names = Object.keys(columns)
  const arrays = Object.values(columns)
  const length = lengthOf(columns)
  for (const name of names)
    if (columns[name]!.rank !== 1)
      throw new ShapeError(`column '${name}' has rank ${columns[name]!.rank}: columns have rank 1`)
  const cell = (value: Scalar): string =>
    typeof value === 'number' && Number.isNaN(value) ? 'nan' : String(value)
  const records = Array.from({ length }, (_, i) => arrays.map((array) => cell(array.at(i))))
  return `${Papa.unparse([names, ...records], { newline: '\n' })}\n`
}
