// What the columns of a table are: guessed from the first records, or stated, and then held to.
import type { DType, Scalar } from '@shoal/core'
import { dtypes } from '@shoal/core'

/** Which dtype each column has. */
export type CsvTypes = Readonly<Record<string, DType>>

const wholeNumber = /^[+-]?\d+$/
const number = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?(nan|inf|infinity)$/i
const truth = /^(true|false)$/i
const limits: Readonly<Partial<Record<DType, readonly [number, number]>>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32_768, 32_767],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
}
const int64Limit = 2n ** 63n

/** The narrowest of bool, int32, int64, float32 and string that holds all texts; missing ones (undefined) make integers float32. */
export function inferColumn(texts: readonly (string | undefined)[]): DType {
  const present = texts.filter((text) => text !== undefined)
  if (present.length === 0) return 'string'
  const gaps = present.length < texts.length
  if (!gaps && present.every((text) => truth.test(text))) return 'bool'
  if (!gaps && present.every((text) => parseCell(text, 'int32') !== undefined)) return 'int32'
  if (!gaps && present.every((text) => parseCell(text, 'int64') !== undefined)) return 'int64'
  return present.every((text) => number.test(text)) ? 'float32' : 'string'
}

/** The value of a text, undefined when the dtype cannot hold it. bool may be written true, false, 1 or 0. */
export function parseCell(text: string, dtype: DType): Scalar | undefined {
  if (dtype === 'string') return text
  if (dtype === 'bool')
    return truth.test(text) || text === '1' || text === '0' ? /^(true|1)$/i.test(text) : undefined
  if (dtypes[dtype].kind === 'float') return number.test(text) ? parseNumber(text) : undefined
  // Longer ones fit no integer, and turning them into numbers would take time that grows with their square.
  if (!wholeNumber.test(text) || text.length > 100) return undefined
  if (dtype === 'int64') {
    const x = BigInt(text.startsWith('+') ? text.slice(1) : text)
    return x >= -int64Limit && x < int64Limit ? x : undefined
  }
  const [least, most] = limits[dtype]!
  const x = Number(text)
  return x >= least && x <= most ? x : undefined
}

/** What stands for a missing value: NaN, or the empty string; undefined where a dtype has nothing to show it by. */
export const missingOf = (dtype: DType): Scalar | undefined =>
  dtype === 'string' ? '' : dtypes[dtype].kind === 'float' ? NaN : undefined

function parseNumber(text: string): number {
  const word = /(nan|inf)/i.exec(text)?.[1]?.toLowerCase()
  if (word === undefined) return Number(text)
  return word === 'nan' ? NaN : text.startsWith('-') ? -Infinity : Infinity
}
