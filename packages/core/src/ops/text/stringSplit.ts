// Strings taken apart.
import { attr, defineOp } from '../../op.ts'
import { NDArray, ndarray } from '../../ndarray.ts'
import { ShapeError } from '../../errors.ts'
import { formatShape, unknown } from '../../shape.ts'
import { SparseTensor } from '../sparse/sparseTensor.ts'
import type { TensorLike } from '../constant.ts'

const stringSplitOp = defineOp({
  name: 'StringSplit',
  doc: 'The parts of each string of a vector, as a sparse matrix of strings.',
  inputs: ['x'],
  dtypes: [['string']],
  attrs: {
    separator: attr.text("what stands between the parts; '': any run of white space", ''),
    skipEmpty: attr.bool('leave out empty parts', false),
  },
  outputs: ['indices', 'values', 'denseShape'],
  infer: ([x]) => {
    if (x.shape.length !== 1)
      throw new ShapeError(`splits a vector of strings, got ${formatShape(x.shape)}: reshape it`)
    return [
      { dtype: 'int64', shape: [unknown, 2] },
      { dtype: 'string', shape: [unknown] },
      { dtype: 'int64', shape: [2] },
    ]
  },
  body: {
    kind: 'runtime',
    role: 'host',
    run([x], { separator, skipEmpty }) {
      const rows = (x!.data as string[]).map((text) => {
        const parts = separator === '' ? text.split(/\s+/) : text.split(separator)
        return skipEmpty || separator === '' ? parts.filter((part) => part !== '') : parts
      })
      const indices = rows.flatMap((parts, row) =>
        parts.flatMap((_, column) => [BigInt(row), BigInt(column)]),
      )
      const values = rows.flat()
      return [
        new NDArray('int64', [values.length, 2], BigInt64Array.from(indices)),
        new NDArray('string', [values.length], values),
        ndarray(
          [BigInt(rows.length), BigInt(rows.reduce((most, parts) => Math.max(most, parts.length), 0))],
          'int64',
        ),
      ]
    },
  },
})

/** The definition behind `stringSplit`. */
export const stringSplitDef = { def: stringSplitOp.def }

/**
 * The parts of each string of a vector [n]: a SparseTensor of shape [n, most parts], part j of string i at [i, j].
 * @param options.separator what stands between parts; left out or '': any run of white space, and no part is empty.
 * @param options.skipEmpty leave out empty parts, default false.
 */
export function stringSplit(
  x: TensorLike,
  options: { readonly separator?: string; readonly skipEmpty?: boolean; readonly name?: string } = {},
): SparseTensor {
  const [indices, values, denseShape] = stringSplitOp(x, options)
  return new SparseTensor(indices, values, denseShape)
}
