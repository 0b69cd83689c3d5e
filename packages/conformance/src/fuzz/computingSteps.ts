// What random graphs compute: element-wise steps, reductions, views, products, convolutions. Values stay of about size 1, and errors with them.
import type { Tensor } from '@shoal/core'
import {
  add,
  cast,
  constant,
  conv2d,
  exp,
  gather,
  layerNorm,
  matmul,
  max,
  maximum,
  mean,
  min,
  minimum,
  mul,
  NDArray,
  neg,
  pad,
  reshape,
  reverse,
  roll,
  select,
  sizeOf,
  slice,
  softmax,
  square,
  sub,
  sum,
  tanh,
  transpose,
} from '@shoal/core'
import type { Growth, GraphStep } from './growth.ts'
import { broadcast, sizesOf } from './growth.ts'

/** A step for values that have axes. */
const along =
  (make: (growth: Growth, x: Tensor, shape: readonly number[]) => Tensor | undefined): GraphStep =>
  (growth) => {
    const x = growth.any()
    return x.rank === 0 ? undefined : make(growth, x, sizesOf(x))
  }
/** An axis of a shape. */
const axisOf = ({ stream }: Growth, shape: readonly number[]): number => stream.integer(0, shape.length)

const binary: GraphStep = (growth) => {
  const x = growth.any()
  const y = growth.find((other) => broadcast(sizesOf(x), sizesOf(other)) !== undefined)
  if (!y) return undefined
  const made = growth.stream.pick([add, sub, mul, maximum, minimum])(x, y)
  return growth.chance(0.5) ? tanh(made) : mul(made, 0.5)
}

const reduced: GraphStep = along((growth, x, shape) => {
  const some = shape.flatMap((_, axis) => (growth.chance(0.5) ? [axis] : []))
  const axes = some.length > 0 ? some : [axisOf(growth, shape)]
  const made = growth.stream.pick([sum, mean, max, min, sum, mean])(x, { axes, keepDims: growth.chance(0.5) })
  return tanh(mul(made, 0.3))
})

const reshaped: GraphStep = (growth) => {
  const x = growth.any()
  const shape = sizesOf(x)
  const folded = shape.filter((d) => d !== 1)
  return reshape(x, { shape: growth.stream.pick([[sizeOf(shape)], folded, [...folded, 1]]) })
}

const moved: GraphStep = along((growth, x, shape) => {
  const before = shape.map((d) => growth.stream.integer(0, Math.min(d, 3)))
  const kept = slice(x, { begin: before, size: shape.map((d, i) => d - before[i]!) })
  return pad(kept, { before, after: shape.map(() => 0), value: growth.stream.pick([0, 0.25]) })
})

const chosen: GraphStep = (growth) => {
  const [x, mask] = [growth.any(), growth.stream.pick(growth.sources.masks)]
  return broadcast(sizesOf(x), sizesOf(mask)) && select(mask, x, mul(x, -0.5))
}

const counted: GraphStep = (growth) => {
  const [x, count] = [growth.any(), growth.stream.pick(growth.sources.counts)]
  const odd = cast(add(mul(count, 2), 1), { to: 'float32' })
  return broadcast(sizesOf(x), sizesOf(odd)) && tanh(add(mul(odd, 0.05), x))
}

const multiplied: GraphStep = (growth) => {
  const a = growth.find((t) => t.rank === 2)
  const b = growth.find((t) => t.rank === 2)
  if (!a || !b) return undefined
  const ways = [false, true].flatMap((transposeA) =>
    [false, true].map((transposeB) => ({ transposeA, transposeB })),
  )
  const way = growth.stream
    .shuffled(ways)
    .find(({ transposeA, transposeB }) => a.shape[transposeA ? 0 : 1] === b.shape[transposeB ? 1 : 0])
  if (!way) return undefined
  const product = mul(matmul(a, b, way), 0.2)
  return growth.chance(0.5) ? tanh(product) : product
}

const convolved: GraphStep = along((growth, x, shape) => {
  if (shape.length !== 2) return undefined
  const weights = Float32Array.from({ length: 18 }, () => growth.stream.between(-0.5, 0.5))
  const image = reshape(x, { shape: [1, ...shape, 1] })
  const made = conv2d(image, constant(new NDArray('float32', [3, 3, 1, 2], weights)), { padding: 'SAME' })
  return sum(growth.chance(0.5) ? tanh(add(made, 0.3)) : made, { axes: [0, 3] })
})

const gathered: GraphStep = along(({ stream }, x, [rows]) => {
  const indices = Int32Array.from({ length: rows! }, () => stream.integer(0, rows!))
  return gather(x, constant(new NDArray('int32', [rows!], indices)), { axis: 0 })
})

/** All that computes without state; some twice, since real graphs are made of them. */
export const computingSteps: readonly GraphStep[] = [
  (growth) => tanh(add(mul(growth.any(), 0.7), 0.1)),
  (growth) => exp(neg(square(growth.any()))),
  binary,
  binary,
  binary,
  reduced,
  reduced,
  reduced,
  along((growth, x, shape) => transpose(x, { order: growth.stream.shuffled([...shape.keys()]) })),
  reshaped,
  moved,
  along((growth, x, shape) => reverse(x, { axes: [axisOf(growth, shape)] })),
  along((growth, x, shape) => roll(x, { shifts: [1], axes: [axisOf(growth, shape)] })),
  chosen,
  counted,
  multiplied,
  multiplied,
  convolved,
  gathered,
  along((growth, x, shape) => softmax(x, { axis: axisOf(growth, shape) })),
  // A large epsilon keeps rows of equal values from blowing up what they are inexact by.
  along((_, x) => tanh(layerNorm(x, undefined, undefined, { epsilon: 0.1 }))),
]
