// Rows by index: elements are copied as they are, never converted.
import { sizeOf } from '../../shape.ts'
import type { ReferenceKernels } from '../kernel.ts'
import { clear, copy } from './scatter.ts'

/** Concat, Gather. */
export const gatherKernels: ReferenceKernels = {
  Gather([x, indices], [out], { inputs: [xType, indexType], attrs }) {
    const [axis, batchDims] = [attrs['axis'] as number, attrs['batchDims'] as number]
    const { shape } = xType!
    const batches = sizeOf(shape.slice(0, batchDims))
    const before = sizeOf(shape.slice(batchDims, axis))
    const [size, width] = [shape[axis]!, sizeOf(shape.slice(axis + 1))]
    const picks = sizeOf(indexType!.shape.slice(batchDims))
    let to = 0
    for (let batch = 0; batch < batches; batch++)
      for (let row = 0; row < before; row++)
        for (let k = 0; k < picks; k++, to += width) {
          const i = Number(indices![batch * picks + k]!)
          if (i >= 0 && i < size) copy(x!, ((batch * before + row) * size + i) * width, out!, to, width)
          else clear(out!, to, width)
        }
  },

  Concat(xs, [out], { inputs, outputs, attrs }) {
    const { shape } = outputs[0]!
    const axis =
      (attrs['axis'] as number) < 0 ? (attrs['axis'] as number) + shape.length : (attrs['axis'] as number)
    const rows = sizeOf(shape.slice(0, axis))
    let to = 0
    for (let row = 0; row < rows; row++)
      xs.forEach((x, i) => {
        const width = sizeOf(inputs[i]!.shape.slice(axis))
        copy(x, row * width, out!, to, width)
        to += width
      })
  },
}
