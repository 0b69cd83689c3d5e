// Host arrays taken apart and put together along their first axis.
import type { ArrayOf, DType, TypedArray } from '../dtype.ts'
import { allocate } from '../dtype.ts'
import { ShapeError } from '../errors.ts'
import { NDArray } from '../ndarray.ts'
import { formatShape } from '../shape.ts'

/** The parts of an array along axis 0; they share its memory. @throws ShapeError for a scalar. */
export function splitRows(array: NDArray): NDArray[] {
  const [count, ...rest] = array.shape
  if (count === undefined) throw new ShapeError('a scalar has no rows')
  const length = array.size / Math.max(count, 1)
  return Array.from({ length: count }, (_, i) => {
    const data = Array.isArray(array.data)
      ? array.data.slice(i * length, (i + 1) * length)
      : array.data.subarray(i * length, (i + 1) * length)
    return new NDArray(array.dtype, rest, data as ArrayOf<DType>)
  })
}

/** Arrays of one dtype and shape joined along a new first axis. `shape` is that of a row, for when there are none. @throws ShapeError when they differ. */
export function stackRows(rows: readonly NDArray[], dtype: DType, shape: readonly number[]): NDArray {
  const item = rows[0]?.shape ?? shape
  const length = rows[0]?.size ?? 0
  const data = allocate(dtype, rows.length * length)
  rows.forEach((row, i) => {
    if (formatShape(row.shape) !== formatShape(item))
      throw new ShapeError(
        `cannot stack elements of shapes ${formatShape(item)} and ${formatShape(row.shape)}: take them one at a time`,
      )
    if (Array.isArray(data)) (row.data as string[]).forEach((text, k) => (data[i * length + k] = text))
    else (data as Float64Array).set(row.data as TypedArray as Float64Array, i * length)
  })
  return new NDArray(dtype, [rows.length, ...item], data)
}
