// Strings by their position.
import { RunError, ShapeError } from '../../errors.ts'
import { NDArray } from '../../ndarray.ts'
import { defineOp } from '../../op.ts'

/** The rows of x [n, ...rest] that `indices` name: [...indices, ...rest]. A run throws RunError for an index outside of 0 to n - 1. */
export const stringGather = defineOp({
  name: 'StringGather',
  doc: 'The rows of a tensor of strings that indices name.',
  inputs: ['x', 'indices'],
  dtypes: [['string'], ['int32', 'int64']],
  literals: { indices: 'int32' },
  infer: ([x, indices]) => {
    if (x.shape.length === 0) throw new ShapeError('cannot take rows of a scalar')
    return [{ dtype: 'string', shape: [...indices.shape, ...x.shape.slice(1)] }]
  },
  body: {
    kind: 'runtime',
    role: 'host',
    run([x, indices]) {
      const [count = 0, ...rest] = x!.shape
      const length = x!.size / Math.max(count, 1)
      const rows = indices!.numbers().map((i) => {
        if (i < 0 || i >= count) throw new RunError(`index ${i} is out of range for ${count} rows`)
        return (x!.data as string[]).slice(i * length, (i + 1) * length)
      })
      return [new NDArray('string', [...indices!.shape, ...rest], rows.flat())]
    },
  },
})
