// Tables in CSV: records become objects whose values have the dtype of their column, or whole columns become NDArrays.
import type { DType, NDArray, Scalar, ScalarOf } from '@shoal/core'
import { ndarray } from '@shoal/core'
import { Dataset } from '../dataset.ts'
import { DataError } from '../errors.ts'
import type { ByteSource, Compression } from '../source.ts'
import { nameOf } from '../source.ts'
import type { CsvTypes } from './csvColumns.ts'
import { inferColumn, missingOf, parseCell } from './csvColumns.ts'
import type { CsvDialect, CsvRecord } from './csvRecords.ts'
import { csvRecords } from './csvRecords.ts'
import { decodeText } from './text.ts'

/** How to read a table. */
export interface CsvOptions<C extends CsvTypes = CsvTypes> extends CsvDialect {
  /** Is the first record the names of the columns? Yes, when left out. */
  readonly header?: boolean
  /**
   * The dtype of each column that is wanted, by name; with `header: false`, all columns in their order.
   * When left out, all columns are read and their dtypes inferred.
   */
  readonly columns?: C
  /** What stands for a missing value; only the empty field when left out. Missing numbers are NaN, missing strings empty. */
  readonly missing?: readonly string[]
  /** Take blanks off both ends of fields? Yes, when left out. */
  readonly trim?: boolean
  /** How many records dtypes are inferred from; 1,000 when left out. Later records must fit. */
  readonly inferRecords?: number
  /** `auto` when left out. */
  readonly compression?: Compression
}

/** A record by column name. */
export type CsvRow<C extends CsvTypes> = { [K in keyof C]: ScalarOf<C[K]> }
/** Columns by name. */
export type CsvColumns<C extends CsvTypes> = { [K in keyof C]: NDArray<C[K]> }

/**
 * The records of a table as plain values, one by one. When batched, numbers become float32 whatever their column is.
 * Iterating throws DataError for fields that are not of their column's dtype, records of another length, broken quotes.
 */
export function csvRows<const C extends CsvTypes = Readonly<Record<string, DType>>>(
  source: ByteSource,
  options: CsvOptions<C> = {},
): Dataset<CsvRow<C>> {
  return Dataset.from(() => rows(source, options) as AsyncGenerator<CsvRow<C>, void, undefined>)
}

/** A whole table as one NDArray of shape [records] per column. @throws DataError as `csvRows` does. */
export async function readCsv<const C extends CsvTypes = Readonly<Record<string, DType>>>(
  source: ByteSource,
  options: CsvOptions<C> = {},
): Promise<CsvColumns<C>> {
  const table = await openTable(source, options)
  const values = table.columns.map((): Scalar[] => [])
  for await (const record of table.records) table.parse(record).forEach((value, i) => values[i]!.push(value))
  const arrays = table.columns.map(({ name, dtype }, i) => [name, ndarray(values[i]!, dtype)] as const)
  return Object.fromEntries(arrays) as CsvColumns<C>
}

async function* rows(
  source: ByteSource,
  options: CsvOptions,
): AsyncGenerator<Record<string, Scalar>, void, undefined> {
  const table = await openTable(source, options)
  for await (const record of table.records) {
    const values = table.parse(record)
    yield Object.fromEntries(table.columns.map(({ name }, i) => [name, values[i]!]))
  }
}

interface Column {
  readonly name: string
  readonly dtype: DType
  /** Where in a record it stands. */
  readonly position: number
}

interface Table {
  readonly columns: readonly Column[]
  readonly records: AsyncGenerator<CsvRecord, void, undefined>
  parse(record: CsvRecord): Scalar[]
}

/** Reads as much as is needed to know the columns; the records of that part come again in `records`. */
async function openTable(source: ByteSource, options: CsvOptions): Promise<Table> {
  const {
    header = true,
    columns: stated,
    missing = [''],
    trim = true,
    inferRecords = 1000,
    compression,
  } = options
  const file = nameOf(source)
  const records = csvRecords(decodeText(source, compression), options, file)
  try {
    const clean = (field: string): string => (trim ? field.trim() : field)
    const present = (field: string): string | undefined => (missing.includes(field) ? undefined : field)
    const first = await records.next()
    if (first.done) throw new DataError('the table is empty: there is not even a header', { file })
    const names = header
      ? first.value.fields.map(clean)
      : nameColumns(first.value.fields.length, stated, file)
    const seen: CsvRecord[] = header ? [] : [first.value]
    const width = names.length

    const checked = ({ fields, line }: CsvRecord): readonly string[] => {
      if (fields.length === width) return fields
      throw new DataError(`${fields.length} fields where there are ${width} columns`, { file, line })
    }

    if (!stated)
      while (seen.length < inferRecords) {
        const step = await records.next()
        if (step.done) break
        seen.push(step.value)
      }
    const inferred = (position: number): DType =>
      inferColumn(seen.map((record) => present(clean(checked(record)[position]!))))
    const columns = stated
      ? Object.entries(stated).map(([name, dtype]) => ({ name, dtype, position: find(names, name, file) }))
      : names.map((name, position) => ({ name, dtype: inferred(position), position }))
    const repeated = names.find((name, i) => names.indexOf(name) !== i)
    if (repeated !== undefined)
      throw new DataError(`two columns are named '${repeated}'`, { file, line: first.value.line })

    const value = (text: string, { name, dtype }: Column, line: number): Scalar => {
      const field = present(clean(text))
      const parsed = field === undefined ? missingOf(dtype) : parseCell(field, dtype)
      if (parsed !== undefined) return parsed
      const what = field === undefined ? 'a missing value' : JSON.stringify(field.slice(0, 50))
      throw new DataError(
        `${what} in column '${name}', which is ${dtype}: state another dtype for it in columns`,
        { file, line },
      )
    }
    return {
      columns,
      records: replay(seen, records),
      parse: (record) => {
        const fields = checked(record)
        return columns.map((column) => value(fields[column.position]!, column, record.line))
      },
    }
  } catch (error) {
    await records.return()
    throw error
  }
}

function nameColumns(count: number, stated: CsvTypes | undefined, file: string | undefined): string[] {
  if (!stated) return Array.from({ length: count }, (_, i) => `column${i}`)
  const names = Object.keys(stated)
  if (names.length === count) return names
  throw new DataError(
    `${count} columns in the file, ${names.length} are stated: without a header all must be`,
    { file, line: 1 },
  )
}

function find(names: readonly string[], name: string, file: string | undefined): number {
  const position = names.indexOf(name)
  if (position >= 0) return position
  throw new DataError(`no column '${name}': there are ${names.join(', ').slice(0, 500)}`, { file, line: 1 })
}

async function* replay(
  seen: CsvRecord[],
  records: AsyncGenerator<CsvRecord, void, undefined>,
): AsyncGenerator<CsvRecord, void, undefined> {
  try {
    yield* seen.splice(0)
    yield* records
  } finally {
    await records.return()
  }
}
