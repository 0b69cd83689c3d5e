// Element-wise functions of two and three inputs, with broadcasting.
import type { DType, Tensor } from '@shoal/core'
import * as s from '@shoal/core'
import type { OpCase } from '../case.ts'
import { opCase } from '../case.ts'
import { bools, ints, random, values } from '../inputs.ts'

type Pair = (a: Tensor, b: Tensor) => Tensor
type Row = readonly [
  op: string,
  build: Pair,
  expect: (a: number, b: number) => number,
  low?: number | undefined,
  dtypes?: readonly DType[],
]

/** a [3, 1, 4] with b [2, 1]: every axis of one is repeated for the other. */
const pairs = (a: readonly number[], b: readonly number[], f: (a: number, b: number) => number): number[] =>
  [0, 1, 2].flatMap((i) => [0, 1].flatMap((j) => [0, 1, 2, 3].map((k) => f(a[i * 4 + k]!, b[j]!))))

const smooth: readonly Row[] = [
  ['Add', s.add, (a, b) => a + b, undefined, ['float32', 'float16', 'int32', 'int64', 'uint8']],
  ['Sub', s.sub, (a, b) => a - b, undefined, ['float32', 'float16', 'int32']],
  ['Mul', s.mul, (a, b) => a * b, undefined, ['float32', 'bfloat16', 'int32']],
  ['Div', s.div, (a, b) => a / b, 0.5],
  ['Pow', s.pow, (a, b) => Math.exp(b * Math.log(a)), 0.3],
  ['Atan2', s.atan2, Math.atan2, 0.3],
  ['Hypot', s.hypot, (a, b) => Math.sqrt(a * a + b * b), 0.3],
  ['Maximum', s.maximum, (a, b) => (a > b ? a : b)],
  ['Minimum', s.minimum, (a, b) => (a < b ? a : b)],
  ['SquaredDifference', s.squaredDifference, (a, b) => a * a - 2 * a * b + b * b],
  ['DivNoNan', s.divNoNan, (a, b) => a / b, 0.5],
  ['MulNoNan', s.mulNoNan, (a, b) => a * b],
  ['Xlogy', s.xlogy, (a, b) => a * Math.log(b), 0.3],
  ['Xlog1py', s.xlog1py, (a, b) => a * Math.log(1 + b), 0.3],
]
const smoothCases = smooth.map(([op, build, expect, low, dtypes]) =>
  opCase({
    op,
    name: 'both inputs repeat',
    inputs: { a: random([3, 1, 4], { low: low ?? -2 }), b: random([2, 1], { low: low ?? -2 }) },
    // Integers are drawn by themselves, below.
    ...(dtypes && { dtypes: dtypes.filter((d) => d.includes('float')) }),
    secondOrder: op !== 'Maximum' && op !== 'Minimum',
    build: ({ a, b }) => build(a, b),
    expect: ({ a, b }) => Float64Array.from(pairs(a.numbers(), b.numbers(), expect)),
  }),
)

const tests: readonly (readonly [string, Pair, (a: number, b: number) => boolean])[] = [
  ['Equal', s.equal, (a, b) => a === b],
  ['NotEqual', s.notEqual, (a, b) => a !== b],
  ['Less', s.less, (a, b) => a < b],
  ['LessEqual', s.lessEqual, (a, b) => a <= b],
  ['Greater', s.greater, (a, b) => a > b],
  ['GreaterEqual', s.greaterEqual, (a, b) => a >= b],
]
const testCases = tests.flatMap(([op, build, expect]) => [
  opCase({
    op,
    name: 'integers',
    inputs: { a: ints([3, 1, 4], { high: 3 }), b: ints([2, 1], { high: 3 }) },
    build: ({ a, b }) => build(a, b),
    expect: ({ a, b }) => Uint8Array.from(pairs(a.numbers(), b.numbers(), (x, y) => (expect(x, y) ? 1 : 0))),
  }),
  opCase({
    op,
    name: 'floats and NaN',
    inputs: { a: values([1, 2, Number.NaN, Number.NaN]), b: values([2, 2, 1, Number.NaN]) },
    grad: false,
    dtypes: ['float32', 'float16'],
    build: ({ a, b }) => build(a, b),
    expect: ({ a, b }) => Uint8Array.from(a.numbers(), (x, i) => (expect(x, b.numbers()[i]!) ? 1 : 0)),
  }),
])

const numerators = [7, -7, 7, -7, 6, -6, 0, 5]
const denominators = [3, 3, -3, -3, 3, 3, -4, 0]
const divisions: readonly (readonly [string, Pair, readonly number[]])[] = [
  ['FloorDiv', s.floorDiv, [2, -3, -3, 2, 2, -2, 0, 0]],
  ['FloorMod', s.floorMod, [1, 2, -2, -1, 0, 0, 0, 0]],
  ['TruncDiv', s.truncDiv, [2, -2, -2, 2, 2, -2, 0, 0]],
  ['TruncMod', s.truncMod, [1, -1, 1, -1, 0, 0, 0, 0]],
]
const divisionCases = divisions.flatMap(([op, build, expect]) => [
  opCase({
    op,
    name: 'integers of all signs, and zero',
    inputs: { a: values(numerators), b: values(denominators) },
    dtypes: ['int32', 'int64', 'int8'],
    grad: false,
    build: ({ a, b }) => build(a, b),
    expect: Float64Array.from(expect),
  }),
  opCase({
    op,
    name: 'floats of all signs',
    inputs: { a: values([7.5, -7.5, 7.5, -7.5]), b: values([2, 2, -2, -2]) },
    ...(op.endsWith('Div') && { grad: false }),
    build: ({ a, b }) => build(a, b),
    expect: {
      FloorDiv: [3, -4, -4, 3],
      FloorMod: [1.5, 0.5, -0.5, -1.5],
      TruncDiv: [3, -3, -3, 3],
      TruncMod: [1.5, -1.5, 1.5, -1.5],
    }[op]!,
  }),
])

const logic: readonly (readonly [string, Pair, readonly boolean[]])[] = [
  ['LogicalAnd', s.logicalAnd, [true, false, false, false]],
  ['LogicalOr', s.logicalOr, [true, true, true, false]],
  ['LogicalXor', s.logicalXor, [false, true, true, false]],
]
const logicCases = logic.map(([op, build, expect]) =>
  opCase({
    op,
    name: 'all pairs',
    inputs: { a: values([true, true, false, false]), b: values([true, false, true, false]) },
    build: ({ a, b }) => build(a, b),
    expect,
  }),
)

const bits: readonly (readonly [string, Pair, readonly number[]])[] = [
  ['BitwiseAnd', s.bitwiseAnd, [8, 0, 3, 0]],
  ['BitwiseOr', s.bitwiseOr, [14, 7, -1, -1]],
  ['BitwiseXor', s.bitwiseXor, [6, 7, -4, -1]],
]
const bitCases = bits.map(([op, build, expect]) =>
  opCase({
    op,
    name: 'signed',
    inputs: { a: values([12, 5, -1, -5]), b: values([10, 2, 3, 4]) },
    dtypes: ['int32', 'int64', 'int16'],
    grad: false,
    build: ({ a, b }) => build(a, b),
    expect: Float64Array.from(expect),
  }),
)

export const mathBinaryCases: readonly OpCase[] = [
  ...smoothCases,
  ...testCases,
  ...divisionCases,
  ...logicCases,
  ...bitCases,
  opCase({
    op: 'LeftShift',
    name: 'signed',
    inputs: { a: values([1, 3, -1]), b: values([4, 1, 2]) },
    dtypes: ['int32'],
    grad: false,
    build: ({ a, b }) => s.leftShift(a, b),
    expect: Int32Array.from([16, 6, -4]),
  }),
  opCase({
    op: 'RightShift',
    name: 'keeps the sign',
    inputs: { a: values([16, 7, -8]), b: values([2, 1, 1]) },
    dtypes: ['int32'],
    grad: false,
    build: ({ a, b }) => s.rightShift(a, b),
    expect: Int32Array.from([4, 3, -4]),
  }),
  opCase({
    op: 'Pow',
    name: 'of integers wraps, exactly beyond 53 bits',
    inputs: { a: values([2147483647, 46341, 2147483645, 3]), b: values([3, 2, 3, 41]) },
    dtypes: ['int32', 'uint32'],
    build: ({ a, b }) => s.pow(a, b),
    expect: ({ a, b }) =>
      a.numbers().map((base, i) => {
        const power = BigInt(base) ** BigInt(b.numbers()[i]!)
        return Number(a.dtype === 'uint32' ? BigInt.asUintN(32, power) : BigInt.asIntN(32, power))
      }),
  }),
  opCase({
    op: 'Add',
    name: 'integers wrap',
    inputs: { a: values([2147483647, -5]), b: values([1, 3]) },
    dtypes: ['int32'],
    grad: false,
    build: ({ a, b }) => s.add(a, b),
    expect: Int32Array.from([-2147483648, -2]),
  }),
  opCase({
    ops: ['DivNoNan', 'MulNoNan', 'Xlogy', 'Xlog1py'],
    name: 'zeros win',
    inputs: { a: values([0, 3, 0]), b: values([0, 0, Number.POSITIVE_INFINITY]) },
    grad: false,
    build: ({ a, b }) => [s.divNoNan(a, b), s.mulNoNan(b, a), s.xlogy(a, b), s.xlog1py(a, b)],
    expect: [
      Float64Array.from([0, 0, 0]),
      Float64Array.from([0, 0, 0]),
      Float64Array.from([0, -Infinity, 0]),
      Float64Array.from([0, 0, 0]),
    ],
  }),
  opCase({
    op: 'Pow',
    name: 'gradients at zero are finite',
    inputs: { a: values([0, 0, 2]), b: values([0, 2, 0]) },
    grad: false,
    build: ({ a, b }) => s.gradients(s.pow(a, b), [a, b]),
    expect: [Float64Array.from([0, 0, 0]), Float64Array.from([0, 0, Math.LN2])],
  }),
  opCase({
    op: 'Hypot',
    name: 'does not overflow',
    inputs: { a: values([3e30, 0]), b: values([4e30, 0]) },
    grad: false,
    build: ({ a, b }) => s.hypot(a, b),
    expect: [5e30, 0],
  }),
  opCase({
    op: 'Select',
    name: 'all three repeat',
    inputs: { c: bools([2, 1]), a: random([3]), b: random([]) },
    secondOrder: true,
    build: ({ c, a, b }) => s.select(c, a, b),
    expect: ({ c, a, b }) => c.numbers().map((yes) => a.numbers().map((v) => (yes ? v : b.numbers()[0]!))),
  }),
  opCase({
    ops: ['Add', 'Mul', 'Sub'],
    name: 'sums and mixtures',
    inputs: { a: random([2, 3]), b: random([3]), t: random([]) },
    build: ({ a, b, t }) => [s.addN([a, b, t]), s.lerp(a, b, t), s.multiplyAdd(a, b, t)],
    expect: ({ a, b, t }) => {
      const [u, v, w] = [a.numbers(), b.numbers(), t.numbers()[0]!]
      return [
        Float64Array.from(u, (x, i) => x + v[i % 3]! + w),
        Float64Array.from(u, (x, i) => (1 - w) * x + w * v[i % 3]!),
        Float64Array.from(u, (x, i) => x * v[i % 3]! + w),
      ]
    },
  }),
]
