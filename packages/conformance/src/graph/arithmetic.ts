// Behaviours of algebraic rules: neutral operands, signs, powers, casts, views of views.
import type { Tensor } from '@shoal/core'
import {
  abs,
  add,
  argMax,
  bitcast,
  broadcastTo,
  cast,
  constant,
  controlDependencies,
  div,
  equal,
  exp,
  identity,
  less,
  logicalNot,
  max,
  mul,
  neg,
  pad,
  placeholder,
  pow,
  reshape,
  reverse,
  simplify,
  slice,
  sqrt,
  stopGradient,
  sub,
  sum,
  tanh,
  tile,
  transpose,
  removeIdentities,
} from '@shoal/core'
import { expect } from 'vitest'
import type { Behaviour } from './behaviour.ts'
import { expectLeft, left } from './formula.ts'

const named = (
  name: string,
  shape: readonly (number | string)[] = [2, 3],
  dtype: 'float32' | 'int32' = 'float32',
): Tensor => placeholder({ shape, dtype, name })

async function viewsThatShowEverything(): Promise<void> {
  const [x, row] = [named('x'), named('row', [1, 4])]
  const nothing = [
    reshape(x, { shape: [2, 3] }),
    reverse(row, { axes: [0] }),
    slice(x, { begin: [0, 0], size: [2, 3] }),
    tile(x, { times: [1, 1] }),
    pad(x, { before: [0, 0], after: [0, 0] }),
    sum(x, { axes: [] }),
    broadcastTo(x, { shape: [2, 3] }),
  ]
  expect(await left(simplify, nothing, [x, row])).toEqual(['x', 'row', 'x', 'x', 'x', 'x', 'x'])
  expect(await left(simplify, [transpose(row, { order: [1, 0] })], [row])).toEqual(['Reshape(row)'])
  const something = [
    tile(x, { times: [1, 2] }),
    pad(x, { before: [0, 1], after: [0, 0] }),
    reverse(x, { axes: [0] }),
    slice(x, { begin: [0, 1], size: [2, 2] }),
  ]
  expect(await left(simplify, something, [x])).toEqual(['Tile(x)', 'Pad(x)', 'Reverse(x)', 'Slice(x)'])
}

async function sumsOfEqualTerms(): Promise<void> {
  const x = named('x')
  await expectLeft(simplify, add(x, x), [x], 'Mul(x, 2)')
}

async function commonFactors(): Promise<void> {
  const [x, a, b, row] = [named('x'), named('a'), named('b'), named('row', [3])]
  await expectLeft(simplify, add(mul(x, a), mul(b, x)), [x, a, b], 'Mul(x, Add(a, b))')
  await expectLeft(simplify, add(div(a, x), div(b, x)), [x, a, b], 'Div(Add(a, b), x)')
  await expectLeft(simplify, add(mul(x, a), mul(x, row)), [x, a, row], 'Add(Mul(x, a), Mul(x, row))')
}

async function reshapes(): Promise<void> {
  const [x, t] = [named('x'), named('t', [2, 3, 4])]
  await expectLeft(simplify, reshape(x, { shape: [2, 3] }), [x], 'x')
  await expectLeft(simplify, reshape(reshape(t, { shape: [6, 4] }), { shape: [24] }), [t], 'Reshape(t)')
  const open = named('open', ['batch', 3])
  await expectLeft(simplify, reshape(open, { shape: [3, 3] }), [open], 'Reshape(open)')
}

async function transposes(): Promise<void> {
  const x = named('x', [2, 3, 4, 5])
  const there = transpose(x, { order: [0, 3, 1, 2] })
  await expectLeft(simplify, transpose(there, { order: [0, 2, 3, 1] }), [x], 'x')
  await expectLeft(simplify, transpose(there, { order: [0, 3, 1, 2] }), [x], 'Transpose(x)')
  await expectLeft(simplify, transpose(x, { order: [0, 1, 2, 3] }), [x], 'x')
}

async function signs(): Promise<void> {
  const [x, y, z] = [named('x'), named('y'), named('z')]
  const all = [add(neg(x), y), sub(x, neg(y)), add(neg(x), neg(y)), sub(neg(x), neg(y)), add(x, neg(y))]
  expect(await left(simplify, all, [x, y])).toEqual([
    'Sub(y, x)',
    'Add(x, y)',
    'Sub(Neg(x), y)',
    'Sub(y, x)',
    'Sub(x, y)',
  ])
  const waiting = controlDependencies([z], () => neg(x))
  expect(await left(simplify, [add(y, waiting)], [x, y, z])).toEqual(['Sub(y, x)^z'])
}

async function powers(): Promise<void> {
  const x = named('x')
  const by = (exponent: number): Tensor => pow(x, exponent)
  expect(await left(simplify, [2, 3, 1, 0.5, -0.5, -1].map(by), [x])).toEqual([
    'Square(x)',
    'Mul(x, Square(x))',
    'x',
    'Sqrt(x)',
    'Rsqrt(x)',
    'Reciprocal(x)',
  ])
  expect((await left(simplify, [by(0)], [x]))[0]).toContain('Fill()')
  const mixed = pow(x, constant([3, 4, 5]))
  const scalar = named('s', [])
  const wider = pow(scalar, constant([[1, 1, 1]]))
  expect(await left(simplify, [mixed, wider], [x, scalar])).toEqual(['Pow(x, [3,4,5])', 'Pow(s, [[1,1,1]])'])
}

async function extremes(): Promise<void> {
  const x = named('x')
  await expectLeft(simplify, max(tanh(x), { axes: [1] }), [x], 'Tanh(Max(x))')
  await expectLeft(simplify, max(neg(x), { axes: [1] }), [x], 'Neg(Min(x))')
  await expectLeft(simplify, argMax(neg(x), { axis: 1 }), [x], 'ArgMin(x)')
  const read = exp(x)
  expect(await left(simplify, [max(read, { axes: [1] }), read], [x])).toEqual(['Max(Exp(x))', 'Exp(x)'])
}

async function negationsAndCasts(): Promise<void> {
  const [a, b] = [named('a', [3], 'int32'), named('b', [3], 'int32')]
  const x = named('x')
  expect(
    await left(simplify, [logicalNot(less(a, b)), logicalNot(equal(a, b)), cast(a, { to: 'int32' })], [a, b]),
  ).toEqual(['GreaterEqual(a, b)', 'NotEqual(a, b)', 'a'])
  const bits = bitcast(x, { to: 'int32' })
  expect(
    await left(simplify, [bitcast(bits, { to: 'float32' }), bitcast(bits, { to: 'uint32' })], [x]),
  ).toEqual(['x', 'Bitcast(x)'])
  expect(await left(removeIdentities, [identity(identity(x))], [x])).toEqual(['x'])
}

async function trivialNodes(): Promise<void> {
  const [x, z] = [named('x'), named('z')]
  expect(await left(removeIdentities, [sqrt(identity(stopGradient(identity(x))))], [x])).toEqual(['Sqrt(x)'])
  const waiting = controlDependencies([z], () => identity(x))
  expect(await left(removeIdentities, [abs(waiting)], [x, z])).toEqual(['Abs(Identity(x)^z)'])
}

export const arithmeticBehaviours: readonly Behaviour[] = [
  { id: 16, name: 'views that show everything as it is vanish, others stay', check: viewsThatShowEverything },
  { id: 25, name: 'x + x is 2x', check: sumsOfEqualTerms },
  {
    id: 26,
    name: 'common factors and denominators are taken out, if the rest has one shape',
    check: commonFactors,
  },
  { id: 28, name: 'reshapes to the same shape vanish, two in a row are one', check: reshapes },
  { id: 29, name: 'transposes that cancel vanish, others become one', check: transposes },
  { id: 31, name: 'signs move into sums, with what they wait for', check: signs },
  { id: 32, name: 'powers with known exponents have cheaper names, if the shape allows', check: powers },
  {
    id: 37,
    name: 'extremes of monotone functions that nobody else reads are found before the function',
    check: extremes,
  },
  {
    id: 38,
    name: 'negated comparisons, casts to the same dtype, bitcasts of bitcasts',
    check: negationsAndCasts,
  },
  {
    id: 41,
    name: 'nodes that hand on what they are given are bypassed, unless they wait for something',
    check: trivialNodes,
  },
]
