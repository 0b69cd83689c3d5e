// Where weights begin: values whose spread keeps signals of one size from layer to layer.
import type { DType } from '../../dtype.ts'
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { scope } from '../../graph/scope.ts'
import type { Size } from '../../shape.ts'
import { formatShape, sizeOf } from '../../shape.ts'
import { diagPart } from '../array/diagonal.ts'
import { expandDims } from '../array/expandDims.ts'
import { fill } from '../array/fill.ts'
import { reshape } from '../array/reshape.ts'
import { transpose } from '../array/transpose.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { qr } from '../linalg/qr.ts'
import { greaterEqual } from '../math/greaterEqual.ts'
import { mul } from '../math/mul.ts'
import { neg } from '../math/neg.ts'
import { select } from '../math/select.ts'
import { randomKey } from './randomKey.ts'
import { statelessNormal, statelessTruncatedNormal, statelessUniform } from './stateless.ts'

/** What every random initializer takes. */
export interface InitializerOptions {
  /** Default float32. */
  readonly dtype?: DType
  /** Equal seeds draw equal weights; left out: each call draws its own, in an order that the session's seed fixes. */
  readonly seed?: number
  /** A key to draw from instead of the session's. */
  readonly key?: TensorLike
}
/** Makes the first value of a variable of a shape. */
export type Initializer = (shape: Size, options?: InitializerOptions) => Tensor

const keyOf = ({ key, seed }: InitializerOptions): Tensor =>
  key === undefined ? randomKey({ seed }) : toTensor(key, 'uint32')

/** How many elements each output is made of, and each input goes to, in weights [...window, in, out]. */
function fans(shape: Size): { inputs: number; outputs: number } {
  const window = sizeOf(shape.slice(0, -2))
  return { inputs: window * (shape.at(-2) ?? shape.at(-1) ?? 1), outputs: window * (shape.at(-1) ?? 1) }
}

// A normal distribution cut at two deviations has this deviation itself.
const truncatedDeviation = 0.87962566103423978

/** Numbers of mean 0 and a variance that the fans tell. */
const scaled =
  (
    name: string,
    kind: 'uniform' | 'normal',
    variance: (fans: { inputs: number; outputs: number }) => number,
  ): Initializer =>
  (shape: Size, options: InitializerOptions = {}) =>
    scope(name, () => {
      const deviation = Math.sqrt(variance(fans(shape)))
      const draw = { shape, dtype: options.dtype ?? 'float32' }
      const limit = Math.sqrt(3) * deviation
      return kind === 'uniform'
        ? statelessUniform(keyOf(options), { ...draw, low: -limit, high: limit })
        : statelessTruncatedNormal(keyOf(options), { ...draw, deviation: deviation / truncatedDeviation })
    })

/** Uniform, of variance 2 / (in + out): for tanh and sigmoid. Glorot and Bengio, 2010. */
export const glorotUniform = scaled(
  'glorotUniform',
  'uniform',
  ({ inputs, outputs }) => 2 / (inputs + outputs),
)
/** Normal, of variance 2 / (in + out), cut at two deviations. */
export const glorotNormal = scaled('glorotNormal', 'normal', ({ inputs, outputs }) => 2 / (inputs + outputs))
/** Uniform, of variance 2 / in: for relu. He et al., 2015. */
export const heUniform = scaled('heUniform', 'uniform', ({ inputs }) => 2 / inputs)
/** Normal, of variance 2 / in, cut at two deviations. */
export const heNormal = scaled('heNormal', 'normal', ({ inputs }) => 2 / inputs)
/** Uniform, of variance 1 / in. LeCun et al., 1998. */
export const lecunUniform = scaled('lecunUniform', 'uniform', ({ inputs }) => 1 / inputs)
/** Normal, of variance 1 / in, cut at two deviations: for selu. */
export const lecunNormal = scaled('lecunNormal', 'normal', ({ inputs }) => 1 / inputs)

/**
 * A random matrix with orthonormal rows or columns, whichever are fewer; axes before the last are taken together. Saxe et al., 2014.
 * @param options.gain a factor; default 1.
 * @throws ShapeError for shapes of rank below 2.
 */
export const orthogonal = (
  shape: Size,
  options: InitializerOptions & { readonly gain?: number } = {},
): Tensor =>
  scope('orthogonal', () => {
    if (shape.length < 2)
      throw new ShapeError(`orthogonal: ${formatShape(shape)} must have at least two axes`)
    const [rows, columns] = [sizeOf(shape.slice(0, -1)), shape.at(-1)!]
    const [tall, thin] = [Math.max(rows, columns), Math.min(rows, columns)]
    const { q, r } = factors(
      statelessNormal(keyOf(options), { shape: [tall, thin], dtype: options.dtype ?? 'float32' }),
    )
    // With the signs of R's diagonal taken out the result is uniform among all such matrices (Mezzadri, 2007).
    const uniform = select(greaterEqual(expandDims(diagPart(r), { axis: 0 }), 0), q, neg(q))
    return mul(reshape(rows < columns ? transpose(uniform) : uniform, { shape }), options.gain ?? 1)
  })

function factors(a: Tensor): { q: Tensor; r: Tensor } {
  const [q, r] = qr(a)
  return { q, r }
}

/** One value everywhere. */
export const constantInit =
  (value: number) =>
  (shape: Size, { dtype = 'float32' }: { readonly dtype?: DType } = {}): Tensor =>
    fill({ shape, value, dtype })
/** Zeros of a shape. */
export const zeros = constantInit(0)
/** Ones of a shape. */
export const ones = constantInit(1)
