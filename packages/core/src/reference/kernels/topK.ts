// Order along the last axis.
import type { ReferenceKernels } from '../kernel.ts'
import { getElement, setElement } from '../../ndarray.ts'
import { copy } from './scatter.ts'

/** TopK: NaN counts as greater than everything, equal elements keep their order. */
export const topKKernels: ReferenceKernels = {
  TopK([x], [values, indices], { inputs: [type], outputs: [, indexType], attrs }) {
    const size = type!.shape.at(-1)!
    const k = attrs['k'] as number
    const rows = size === 0 ? 0 : x!.length / size
    const direction = attrs['largest'] ? -1 : 1
    for (let row = 0; row < rows; row++) {
      const line = Array.from(
        { length: size },
        (_, i) => getElement(type!.dtype, x!, row * size + i) as number | bigint,
      )
      const order = line.map((_, i) => i).sort((i, j) => direction * compare(line[i]!, line[j]!))
      for (let i = 0; i < k; i++) {
        copy(x!, row * size + order[i]!, values!, row * k + i, 1)
        setElement(indexType!.dtype, indices!, row * k + i, order[i]!)
      }
    }
  },
}

function compare(a: number | bigint, b: number | bigint): number {
  if (a !== a || b !== b) return (a !== a ? 1 : 0) - (b !== b ? 1 : 0)
  return a < b ? -1 : a > b ? 1 : 0
}
