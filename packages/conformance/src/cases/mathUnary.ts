// Element-wise functions of one input, beside JavaScript's own or a formula by another way.
import type { DType, Tensor } from '@shoal/core'
import * as s from '@shoal/core'
import type { OpCase } from '../case.ts'
import { opCase } from '../case.ts'
import { bools, ints, random, values } from '../inputs.ts'

type Range = { readonly low: number; readonly high: number }
type Row = readonly [
  name: string,
  build: (x: Tensor) => Tensor,
  expect: (x: number) => number,
  range?: Range | undefined,
  dtypes?: readonly DType[],
]
const halves = ['float32', 'float64', 'float16', 'bfloat16'] as const
const positive = { low: 0.1, high: 4 }
const within = { low: -0.95, high: 0.95 }

const smooth: readonly Row[] = [
  ['Sqrt', s.sqrt, Math.sqrt, positive, halves],
  ['Rsqrt', s.rsqrt, (x) => x ** -0.5, positive],
  ['Cbrt', s.cbrt, Math.cbrt, positive],
  ['Square', s.square, (x) => x * x, undefined, ['float32', 'int32']],
  ['Reciprocal', s.reciprocal, (x) => 1 / x, positive],
  ['Exp', s.exp, Math.exp, undefined, halves],
  ['Exp2', s.exp2, (x) => 2 ** x],
  ['Expm1', s.expm1, Math.expm1],
  ['Log', s.log, Math.log, positive, halves],
  ['Log1p', s.log1p, Math.log1p, { low: -0.9, high: 3 }],
  ['Log2', s.log2, Math.log2, positive],
  ['Log10', s.log10, Math.log10, positive],
  ['Sin', s.sin, Math.sin, { low: -7, high: 7 }],
  ['Cos', s.cos, Math.cos, { low: -7, high: 7 }],
  ['Tan', s.tan, Math.tan, { low: -1.2, high: 1.2 }],
  ['Asin', s.asin, Math.asin, within],
  ['Acos', s.acos, Math.acos, within],
  ['Atan', s.atan, Math.atan],
  ['Sinh', s.sinh, Math.sinh],
  ['Cosh', s.cosh, Math.cosh],
  ['Tanh', s.tanh, Math.tanh, undefined, halves],
  ['Asinh', s.asinh, Math.asinh],
  ['Acosh', s.acosh, Math.acosh, { low: 1.2, high: 4 }],
  ['Atanh', s.atanh, Math.atanh, within],
  ['Sigmoid', s.sigmoid, (x) => Math.exp(x) / (1 + Math.exp(x)), undefined, halves],
  ['Softplus', s.softplus, (x) => Math.log(1 + Math.exp(x))],
  ['Softsign', s.softsign, (x) => (x < 0 ? x / (1 - x) : x / (1 + x))],
  ['Neg', s.neg, (x) => 0 - x, undefined, ['float32', 'int32', 'int8']],
  ['Abs', s.abs, (x) => Math.sqrt(x * x), { low: 0.2, high: 2 }, ['float32', 'int32']],
]

const smoothCases = smooth.map(([op, build, expect, range, dtypes]) =>
  opCase({
    op,
    name: 'values and slopes',
    inputs: { x: random([3, 5], range) },
    ...(dtypes && { dtypes }),
    secondOrder: op !== 'Abs' && op !== 'Neg',
    build: ({ x }) => build(x),
    expect: ({ x }) => Float64Array.from(x.numbers(), expect),
  }),
)

// Values by the definitions, to 16 digits.
const special: readonly (readonly [string, (x: Tensor) => Tensor, readonly number[], readonly number[]])[] = [
  ['Erf', s.erf, [-1, 0, 0.5, 2], [-0.8427007929497149, 0, 0.5204998778130465, 0.9953222650189527]],
  ['Erfc', s.erfc, [-1, 0, 0.5, 2], [1.8427007929497149, 1, 0.4795001221869535, 0.004677734981047266]],
  ['Erfinv', s.erfinv, [-0.8, 0, 0.5], [-0.9061938024368233, 0, 0.4769362762044699]],
  [
    'Lgamma',
    s.lgamma,
    [0.5, 3, 4.5, -1.5],
    [0.5723649429247001, 0.6931471805599453, 2.4537365708424423, 0.860047015376481],
  ],
  ['Digamma', s.digamma, [0.5, 1, 2], [-1.9635100260214235, -0.5772156649015329, 0.42278433509846713]],
  [
    'Polygamma',
    (x) => s.polygamma(x, { order: 1 }),
    [0.5, 1, 3],
    [4.934802200544679, 1.6449340668482264, 0.3949340668482264],
  ],
]
const specialCases = special.map(([op, build, x, y]) =>
  opCase({
    op,
    name: 'known values',
    inputs: { x: values([...x]) },
    secondOrder: true,
    build: ({ x }) => build(x),
    expect: [...y],
  }),
)

const steps = [-2.5, -1.5, -0.5, -0.25, 0, 0.4, 0.5, 1.5, 2.5, 2.75]
const half = (x: number): number => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x))
const stepped: readonly Row[] = [
  ['Sign', s.sign, (x) => (x > 0 ? 1 : x < 0 ? -1 : 0)],
  ['Floor', s.floor, (x) => -Math.ceil(-x)],
  ['Ceil', s.ceil, (x) => -Math.floor(-x)],
  ['Trunc', s.trunc, (x) => x - (x % 1)],
  ['Round', s.round, half],
]
const steppedCases = stepped.map(([op, build, expect]) =>
  opCase({
    op,
    name: 'on both sides of zero and at halves',
    inputs: { x: values(steps) },
    grad: false,
    dtypes: ['float32', 'float64', 'float16'],
    build: ({ x }) => build(x),
    expect: ({ x }) => Float64Array.from(x.numbers(), expect),
  }),
)

const odd = [1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -3]
export const mathUnaryCases: readonly OpCase[] = [
  ...smoothCases,
  ...specialCases,
  ...steppedCases,
  opCase({
    ops: ['Digamma', 'Polygamma'],
    name: 'below zero',
    inputs: { x: values([-1.5, -0.25]) },
    build: ({ x }) => s.digamma(x),
    expect: [0.7031566406452432, 2.914139120213533],
  }),
  opCase({
    op: 'Polygamma',
    name: 'trigamma below zero',
    inputs: { x: values([-1.5, -0.25]) },
    grad: false,
    build: ({ x }) => s.polygamma(x, { order: 1 }),
    expect: [9.379246644989124, 18.541879647671606],
  }),
  opCase({
    op: 'IsNaN',
    name: 'odd values',
    inputs: { x: values(odd) },
    build: ({ x }) => s.isNaN(x),
    expect: [false, true, false, false, false, false],
  }),
  opCase({
    op: 'IsInf',
    name: 'odd values',
    inputs: { x: values(odd) },
    build: ({ x }) => s.isInf(x),
    expect: [false, false, true, true, false, false],
  }),
  opCase({
    op: 'IsFinite',
    name: 'odd values',
    inputs: { x: values(odd) },
    build: ({ x }) => s.isFinite(x),
    expect: [true, false, false, false, true, true],
  }),
  opCase({
    op: 'NanToNum',
    name: 'odd values',
    inputs: { x: values(odd) },
    grad: false,
    build: ({ x }) => s.nanToNum(x, { nan: 7, posInf: 8, negInf: -9 }),
    expect: [1, 7, 8, -9, 0, -3],
  }),
  opCase({
    op: 'NanToNum',
    name: 'finite values pass',
    inputs: { x: random([4]) },
    build: ({ x }) => s.nanToNum(x),
    expect: ({ x }) => x,
  }),
  opCase({
    op: 'LogicalNot',
    name: 'both',
    inputs: { x: values([true, false]) },
    build: ({ x }) => s.logicalNot(x),
    expect: [false, true],
  }),
  opCase({
    op: 'BitwiseNot',
    name: 'signed and unsigned',
    inputs: { x: ints([6], { low: -50, high: 50 }), u: values([0, 1, 255], 'uint8') },
    build: ({ x, u }) => [s.bitwiseNot(x), s.bitwiseNot(u)],
    expect: ({ x, u }) => [
      Int32Array.from(x.numbers(), (v) => -1 - v),
      Uint8Array.from(u.numbers(), (v) => 255 - v),
    ],
  }),
  opCase({
    op: 'Clip',
    name: 'two bounds, one, none',
    inputs: { x: random([3, 4]) },
    build: ({ x }) => [s.clip(x, { min: -0.5, max: 1 }), s.clip(x, { min: 0.25 }), s.clip(x)],
    expect: ({ x }) => [
      Float64Array.from(x.numbers(), (v) => (v < -0.5 ? -0.5 : v > 1 ? 1 : v)),
      Float64Array.from(x.numbers(), (v) => (v < 0.25 ? 0.25 : v)),
      x,
    ],
  }),
  opCase({
    op: 'Sigmoid',
    name: 'does not overflow',
    inputs: { x: values([-200, 200]) },
    grad: false,
    build: ({ x }) => s.sigmoid(x),
    expect: [0, 1],
  }),
  opCase({
    op: 'Softplus',
    name: 'does not overflow',
    inputs: { x: values([-200, 200]) },
    grad: false,
    build: ({ x }) => s.softplus(x),
    expect: [0, 200],
  }),
  opCase({
    op: 'Cast',
    name: 'floats to integers and bools',
    inputs: { x: values([-1.7, 0, 2.9]), b: bools([3]) },
    grad: false,
    build: ({ x, b }) => [s.cast(x, { to: 'int32' }), s.cast(x, { to: 'bool' }), s.cast(b, { to: 'int64' })],
    expect: ({ b }) => [
      Int32Array.from([-1, 0, 2]),
      [true, false, true],
      BigInt64Array.from(b.numbers(), BigInt),
    ],
  }),
  opCase({
    op: 'Cast',
    name: 'passes gradients between floats',
    inputs: { x: random([4]) },
    build: ({ x }, dtype) => s.cast(x, { to: dtype === 'float64' ? 'float32' : 'float64' }),
    grad: false,
    expect: ({ x }) => x.cast(x.dtype === 'float64' ? 'float32' : 'float64'),
  }),
  opCase({
    op: 'Bitcast',
    name: 'a float is its bits',
    inputs: { x: values([1, -2, 0.5]) },
    grad: false,
    build: ({ x }) => s.bitcast(x, { to: 'int32' }),
    expect: Int32Array.from([0x3f800000, -0x40000000, 0x3f000000]),
  }),
]
