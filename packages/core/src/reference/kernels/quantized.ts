// Products of small numbers, written from their formulas; those of integers are exact.
import type { QuantizedConvAttrs } from '../../ops/quantize/quantizedConv.ts'
import { windowOf } from '../../ops/nn/window.ts'
import { sizeOf } from '../../shape.ts'
import type { ReferenceKernels } from '../kernel.ts'
import { onNumbers } from '../kernel.ts'
import { slide } from './window.ts'

type Ints = ArrayLike<number>

/** QuantizedMatMul, QuantizedConv: sums in 32 bits, which wrap. Float16MatMul: sums in float64. */
export const quantizedKernels: ReferenceKernels = {
  QuantizedMatMul([x, weights], [y], { inputs }) {
    const [n, k] = inputs[1]!.shape as readonly [number, number]
    const [a, b, out] = [x as Ints, weights as Ints, y as Int32Array]
    for (let i = 0; i < out.length; i++) {
      const [row, column] = [Math.floor(i / n) * k, (i % n) * k]
      let sum = 0
      for (let p = 0; p < k; p++) sum = (sum + activation(a[row + p]!) * b[column + p]!) | 0
      out[i] = sum
    }
  },
  Float16MatMul: onNumbers(([x, weights], [y], { inputs }) => {
    const [n, k] = inputs[1]!.shape as readonly [number, number]
    for (let i = 0; i < y!.length; i++) {
      const [row, column] = [Math.floor(i / n) * k, (i % n) * k]
      let sum = 0
      for (let p = 0; p < k; p++) sum += x![row + p]! * weights![column + p]!
      y![i] = sum
    }
  }),
  QuantizedConv([x, filter], [y], { inputs, attrs: given }) {
    const attrs = given as unknown as QuantizedConvAttrs
    const [image, weights] = [inputs[0]!.shape, inputs[1]!.shape]
    const [a, b, out] = [x as Ints, filter as Ints, y as Int32Array]
    const window = windowOf(image.slice(1, -1), weights.slice(1, -1), attrs)
    const [batch, channels, made, seen] = [image[0]!, image.at(-1)!, weights[0]!, weights.at(-1)!]
    const [inputSize, outputSize, taps] = [sizeOf(window.input), sizeOf(window.output), sizeOf(window.kernel)]
    const perGroup = made / attrs.groups
    // Every tap sees the padding at first; those that lie within x then see x instead.
    for (let o = 0; o < out.length; o++)
      out[o] = Math.imul(attrs.zeroPoint, sumOf(b, (o % made) * taps * seen, taps * seen))
    slide(window, (o, i, tap) => {
      for (let n = 0; n < batch; n++)
        for (let to = 0; to < made; to++)
          for (let c = 0; c < seen; c++) {
            const at = (n * inputSize + i) * channels + Math.floor(to / perGroup) * seen + c
            const difference = activation(a[at]!) - attrs.zeroPoint
            out[(n * outputSize + o) * made + to]! += difference * b[(to * taps + tap) * seen + c]!
          }
    })
  },
}

const activation = (x: number): number => Math.max(0, x)

function sumOf(values: Ints, first: number, count: number): number {
  let sum = 0
  for (let i = first; i < first + count; i++) sum += values[i]!
  return sum
}
