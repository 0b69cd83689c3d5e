// The different values of a list.
import type { Scalar } from '../../dtype.ts'
import { allocate, dtypeNames } from '../../dtype.ts'
import { ShapeError } from '../../errors.ts'
import { getElement, NDArray, setElement } from '../../ndarray.ts'
import { attr, defineOp } from '../../op.ts'
import { formatShape, unknown } from '../../shape.ts'

/**
 * The different values of a list in the order in which they first appear; for each element of x which of them it is;
 * and how often each occurs. Runs on the host.
 */
export const unique = defineOp({
  name: 'Unique',
  doc: 'The different values of a list in order of first appearance, which of them each element is, and how often each occurs. Runs on the host.',
  inputs: ['x'],
  dtypes: [dtypeNames],
  outputs: ['values', 'inverse', 'counts'],
  attrs: { dtype: attr.oneOf('the dtype of the inverse and the counts', ['int32', 'int64']) },
  infer: ([x], { dtype }) => {
    if (x.shape.length !== 1)
      throw new ShapeError(`needs a list, got ${formatShape(x.shape)}: reshape it to [-1]`)
    return [
      { dtype: x.dtype, shape: [unknown] },
      { dtype, shape: x.shape },
      { dtype, shape: [unknown] },
    ]
  },
  grad: (): [null] => [null],
  body: {
    kind: 'runtime',
    role: 'host',
    run([x], { dtype }) {
      const places = new Map<Scalar, number>()
      const counts: number[] = []
      const inverse = allocate(dtype, x!.size)
      for (let i = 0; i < x!.size; i++) {
        const value = getElement(x!.dtype, x!.data, i)
        const place = places.get(value) ?? places.size
        places.set(value, place)
        counts[place] = (counts[place] ?? 0) + 1
        setElement(dtype, inverse, i, place)
      }
      const values = allocate(x!.dtype, places.size)
      const occurrences = allocate(dtype, places.size)
      for (const [value, place] of places) {
        setElement(x!.dtype, values, place, value)
        setElement(dtype, occurrences, place, counts[place]!)
      }
      return [
        new NDArray(x!.dtype, [places.size], values),
        new NDArray(dtype, [x!.size], inverse),
        new NDArray(dtype, [places.size], occurrences),
      ]
    },
  },
})
