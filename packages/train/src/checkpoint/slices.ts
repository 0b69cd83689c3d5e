// Parts of variables in checkpoints: what is saved is the whole, under its own name, so that it can be restored in other parts.
import type { NDArray, Variable, VariableSlice } from '@shoal/core'
import { allocate, NDArray as Values, sizeOf } from '@shoal/core'
import { CheckpointError } from './errors.ts'

/** The name that the value of a variable has in a checkpoint: that of the whole, for a part. */
export const savedName = ({ name, resource: { slice } }: Variable): string => slice?.of ?? name

/** The shape of what a checkpoint has under that name. */
export const savedShape = ({ shape, resource: { slice } }: Variable): readonly number[] =>
  slice ? [slice.rows, ...shape.slice(1)] : shape

/**
 * The values of variables under the names of checkpoints, with parts put together.
 * @throws CheckpointError where parts of a variable are missing.
 */
export function joinSlices(variables: readonly Variable[], values: readonly NDArray[]): Map<string, NDArray> {
  const whole = new Map<string, NDArray>()
  const rows = new Map<string, number>()
  variables.forEach((variable, i) => {
    const name = savedName(variable)
    const value = values[i]!
    const { slice } = variable.resource
    if (!slice) {
      whole.set(name, value)
      return
    }
    const shape = savedShape(variable)
    const joined = whole.get(name) ?? new Values(value.dtype, shape, allocate(value.dtype, sizeOf(shape)))
    whole.set(name, joined)
    copyRows(slice, value, joined, 'into')
    rows.set(name, (rows.get(name) ?? 0) + value.shape[0]!)
  })
  for (const [name, count] of rows) {
    const wanted = whole.get(name)!.shape[0]!
    if (count !== wanted)
      throw new CheckpointError(
        `of '${name}' ${count} of ${wanted} rows are in the variables that are to be saved: name all parts of it, each once`,
      )
  }
  return whole
}

/** What a variable is given of what a checkpoint has under its name. */
export function cutSlice({ dtype, shape, resource: { slice } }: Variable, saved: NDArray): NDArray {
  if (!slice) return saved
  const part = new Values(dtype, shape, allocate(dtype, sizeOf(shape)))
  copyRows(slice, part, saved, 'from')
  return part
}

/** Copies the rows of a part into a whole, or from it. */
function copyRows(
  { start, stride }: VariableSlice,
  part: NDArray,
  whole: NDArray,
  way: 'into' | 'from',
): void {
  const count = part.shape[0]!
  // Neighbours go together.
  const [runs, rows] = stride === 1 ? [1, count] : [count, 1]
  const bytes = rows * (part.bytes.length / count)
  const [one, all] = [part.bytes, whole.bytes]
  for (let run = 0; run < runs; run++) {
    const at = start * (part.bytes.length / count) + run * stride * bytes
    if (way === 'into') all.set(one.subarray(run * bytes, (run + 1) * bytes), at)
    else one.set(all.subarray(at, at + bytes), run * bytes)
  }
}
