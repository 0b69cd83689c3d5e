// Behaviours of constant folding, of merging equal nodes, of regrouping and of taking checks out.
import type { Tensor } from '@shoal/core'
import {
  add,
  assertThat,
  checkNumerics,
  concat,
  constant,
  constantFold,
  controlDependencies,
  cse,
  diag,
  div,
  exp,
  floorDiv,
  identity,
  mul,
  placeholder,
  print,
  regroup,
  removeDebug,
  fill,
  shapeOf,
  size,
  standardPasses,
  sub,
  sum,
  toposort,
  topK,
  variable,
  verify,
} from '@shoal/core'
import { expect } from 'vitest'
import { checkPass } from '../passSuite.ts'
import type { Behaviour } from './behaviour.ts'
import { expectLeft, formula, left } from './formula.ts'

const named = (
  name: string,
  shape: readonly (number | string)[] = [2],
  dtype: 'float32' | 'int32' = 'float32',
): Tensor => placeholder({ shape, dtype, name })
const nodes = (...fetches: Tensor[]): number => toposort({ fetches, targets: [] }).length

async function foldsWholeGraphs(): Promise<void> {
  const [a, b] = [constant([1]), constant([2])]
  const c = add(a, b, { name: 'c' })
  const d = add(b, c, { name: 'd' })
  const after = await checkPass(constantFold, { graph: { fetches: [d], targets: [] } })
  expect(after.fetches.map(formula)).toEqual(['[5]'])
  expect(after.fetches[0]!.name).toBe('d')
  expect(nodes(...after.fetches)).toBe(1)
}

async function constantsMeet(): Promise<void> {
  const [x, y] = [named('x'), named('y')]
  const k = mul(5, add(4, x))
  const found = await left(constantFold, [add(1, add(2, x)), mul(5, mul(4, y)), k], [x, y])
  expect(found[0]).toMatch(/^Add\((x, 3|3, x)\)$/)
  expect(found[1]).toMatch(/^Mul\((y, 20|20, y)\)$/)
  expect(found[2]).toBe(formula(k))
}

async function divisions(): Promise<void> {
  const x = named('x')
  await expectLeft(constantFold, div(x, constant([2, 4])), [x], 'Mul(x, [0.5,0.25])')
  const i = named('i', [2], 'int32')
  await expectLeft(constantFold, floorDiv(i, constant([2, 4], 'int32')), [i], 'FloorDiv(i, [2,4])')
}

async function severalOutputs(): Promise<void> {
  const [values, indices] = topK(constant([3, 1, 2]), { k: 2 })
  const x = named('x')
  const i = named('i', [2], 'int32')
  expect(await left(constantFold, [sub(x, values), sub(i, indices)], [x, i])).toEqual([
    'Add(x, [-3,-2])',
    'Add(i, [0,-2])',
  ])
}

async function joins(): Promise<void> {
  const [x, y, z] = [named('x', [1, 2]), named('y', [1, 2]), named('z', [1, 2])]
  await expectLeft(
    constantFold,
    concat([concat([x, y], { axis: 0 }), z], { axis: 0 }),
    [x, y, z],
    'Concat(x, y, z)',
  )
  const across = concat([concat([x, y], { axis: 1 }), concat([z, z], { axis: 1 })], { axis: 0 })
  await expectLeft(constantFold, across, [x, y, z], 'Concat(Concat(x, y), Concat(z, z))')
}

async function joinsOfConstants(): Promise<void> {
  const x = named('x', [1])
  const joined = concat([constant([1]), constant([2]), x, constant([3]), constant([4])], { axis: 0 })
  await expectLeft(constantFold, joined, [x], 'Concat([1,2], x, [3,4])')
}

async function largeResults(): Promise<void> {
  const m = identity(diag(constant(new Float32Array(256))))
  expect((await left(constantFold, [m], []))[0]).toContain('Diag(')
}

async function equalNodes(): Promise<void> {
  const [a, b] = [named('a'), named('b')]
  const e = mul(mul(a, b), mul(a, b))
  const after = await checkPass(cse, {
    graph: { fetches: [e], targets: [] },
    feeds: new Map([a, b].map((t) => [t, constant([2, 3]).node.attrs['value'] as never])),
  })
  const [merged] = after.fetches
  expect(merged!.node.inputs[0]).toBe(merged!.node.inputs[1])
}

async function operandOrder(): Promise<void> {
  const [a, b] = [named('a'), named('b')]
  const after = cse.run({ fetches: [mul(a, b), mul(b, a), sub(a, b), sub(b, a)], targets: [] })
  expect(after.fetches[0]).toBe(after.fetches[1])
  expect(after.fetches[2]).not.toBe(after.fetches[3])
}

async function equalConstants(): Promise<void> {
  const after = await checkPass(cse, {
    graph: { fetches: [div(constant([3.14, 2.7]), constant([3.14, 2.7]))], targets: [] },
  })
  expect(nodes(...after.fetches)).toBe(2)
}

async function checksStay(): Promise<void> {
  const c = named('c')
  const [one, two] = [checkNumerics(c, 'foo'), checkNumerics(c, 'foo')]
  const after = cse.run({ fetches: [div(one, two)], targets: [] })
  verify(after)
  const { inputs } = after.fetches[0]!.node
  expect(inputs[0]!.node.op.name).toBe('CheckNumerics')
}

async function regroupsSums(): Promise<void> {
  const [a, b, c] = [named('a', [4]), named('b', [4, 4]), named('c', [4, 4, 4])]
  const [x, y, z] = [named('x', [4]), named('y', [4, 4]), named('z', [4, 4, 4])]
  const mixed = add(add(add(a, b), c), add(x, add(y, z)))
  await expectLeft(regroup, mixed, [a, b, c, x, y, z], 'Add(Add(Add(a, x), Add(b, y)), Add(c, z))')
}

async function regroupsProducts(): Promise<void> {
  const [a, b, c] = [named('a', [4]), named('b', [4, 4]), named('c', [4])]
  await expectLeft(regroup, mul(mul(a, b), c), [a, b, c], 'Mul(Mul(a, c), b)')
}

async function takesChecksOut(): Promise<void> {
  const x = named('x')
  const passed = assertThat(constant(true), 'must hold')
  const y = controlDependencies([passed], () => exp(print(checkNumerics(x, 'x'), { message: 'x' })))
  const kept = toposort({ fetches: [y], targets: [] }).map((n) => n.op.name)
  expect(kept).toEqual(expect.arrayContaining(['CheckNumerics', 'Print', 'Assert']))
  const after = toposort(removeDebug.run({ fetches: [y], targets: [] })).map((n) => n.op.name)
  expect(after).not.toEqual(expect.arrayContaining(['CheckNumerics']))
  expect(after).not.toEqual(expect.arrayContaining(['Print']))
  expect(after).not.toEqual(expect.arrayContaining(['Assert']))
  expect(after).toEqual(expect.arrayContaining(['Group', 'Exp']))
}

async function zerosTimesUnknown(): Promise<void> {
  const open = named('open', ['batch', 2], 'int32')
  const x = named('x', [3, 2], 'int32')
  const zeros = constant([0, 0], 'int32')
  const [unknown, known] = [mul(open, zeros), mul(x, zeros)]
  expect(await left(constantFold, [unknown, sum(known)], [open, x])).not.toContain('[0,0]')
}

async function sizesOfVariables(): Promise<void> {
  const [a, b] = [
    variable(fill({ shape: [5, 7] }), { name: 'a' }),
    variable(fill({ shape: [11, 13] }), { name: 'b' }),
  ]
  const p = mul(mul(size(b.read()), 1), shapeOf(a.read()))
  const after = await checkPass(standardPasses, { graph: { fetches: [p], targets: [] } })
  expect(formula(after.fetches[0]!)).toBe('[715,1001]')
  expect(toposort(after)).toHaveLength(1)
}

export const foldingBehaviours: readonly Behaviour[] = [
  {
    id: 1,
    name: 'a graph of constants becomes one constant under the name of the last node',
    check: foldsWholeGraphs,
  },
  {
    id: 2,
    name: 'constants meet through equal associative ops, not through different ones',
    check: constantsMeet,
  },
  { id: 4, name: 'products with zeros keep their values while sizes are names', check: zerosTimesUnknown },
  { id: 5, name: 'division by constants is multiplication for floats, not for integers', check: divisions },
  { id: 7, name: 'each output becomes its own constant', check: severalOutputs },
  { id: 8, name: 'sizes of variables are known, and what is made of them too', check: sizesOfVariables },
  { id: 11, name: 'joined pieces of joined pieces are joined once, along one axis', check: joins },
  { id: 13, name: 'neighbouring constants are joined', check: joinsOfConstants },
  { id: 14, name: 'what would make the graph larger is not folded', check: largeResults },
  { id: 19, name: 'equal nodes become one', check: equalNodes },
  { id: 20, name: 'the order of operands matters only where it matters', check: operandOrder },
  { id: 22, name: 'equal constants become one', check: equalConstants },
  { id: 23, name: 'checks stay, however often they are made', check: checksStay },
  { id: 34, name: 'sums of unlike sizes are regrouped, small ones first', check: regroupsSums },
  { id: 35, name: 'products of unlike sizes are regrouped, the largest last', check: regroupsProducts },
  { id: 65, name: 'checks and reports are taken out when asked to', check: takesChecksOut },
]
