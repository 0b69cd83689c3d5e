// Fisher's irises as a regression: how wide is a petal, given the other three measures?
import type { NDArray } from '@shoal/core'
import { ndarray } from '@shoal/core'
import { readCsv } from '@shoal/data'
import { dataset } from '@shoal/example-parts'

/** A table to fit a line through. */
export interface Table {
  /** Measures in units of their own spread, [flowers, 3]. */
  readonly x: NDArray
  /** Widths in centimetres, [flowers, 1]. */
  readonly y: NDArray
  readonly names: readonly string[]
}

const names = ['sepal_length_cm', 'sepal_width_cm', 'petal_length_cm'] as const

/** Numbers moved and scaled to mean 0 and variance 1: gradient descent goes down round valleys faster than down long ones. */
function standardized(values: readonly number[]): number[] {
  const mean = values.reduce((a, b) => a + b) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  return values.map((value) => (value - mean) / Math.sqrt(variance))
}

/** The 150 flowers. @throws DataError when the file is damaged. */
export async function readTable(): Promise<Table> {
  const columns = await readCsv(dataset('iris.csv'), {
    columns: {
      sepal_length_cm: 'float32',
      sepal_width_cm: 'float32',
      petal_length_cm: 'float32',
      petal_width_cm: 'float32',
    },
  })
  const measures = names.map((name) => standardized(columns[name].numbers()))
  const x = measures[0]!.map((_, flower) => measures.map((measure) => measure[flower]!))
  return { x: ndarray(x), y: columns.petal_width_cm.reshape([x.length, 1]), names }
}
