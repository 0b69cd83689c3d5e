// Behaviours of control edges, of layout, and of passes under supervision.
import type { Graph, Node, Pass, Tensor } from '@shoal/core'
import {
  add,
  checked,
  constant,
  constantFold,
  controlDependencies,
  conv,
  GraphError,
  group,
  identity,
  layout,
  mul,
  neg,
  placeholder,
  prune,
  repeated,
  simplify,
  squeeze,
  Tensor as SymbolicTensor,
  tanh,
  toposort,
  variable,
  withDeadline,
} from '@shoal/core'
import { expect } from 'vitest'
import { checkPass } from '../passSuite.ts'
import type { Behaviour } from './behaviour.ts'
import { expectLeft, left } from './formula.ts'

const graphOf = (...fetches: Tensor[]): Graph => ({ fetches, targets: [] })
const count = (name: string): Tensor => variable(0, { name }).assignAdd(1)
const after = (nodes: readonly (Node | Tensor)[], t: Tensor): Tensor =>
  controlDependencies(nodes, () => identity(t))
const waits = (t: Tensor): string[] => t.node.control.map((node) => node.name)

async function goesAroundUnreadValues(): Promise<void> {
  const [x, y] = [count('x'), count('y')]
  const unread = add(x, y)
  const pruned = await checkPass(prune, { graph: graphOf(after([unread], x), after([unread], y)) })
  expect(pruned.fetches.map(waits)).toEqual([['y/assignAdd'], ['x/assignAdd']])
  expect(toposort(pruned).map((node) => node.op.name)).not.toContain('Add')
}

async function dropsEdgesFromConstants(): Promise<void> {
  const [x, y, z] = [constant(1), constant(2), constant(3)]
  const sum = add(x, y)
  const pruned = await checkPass(prune, { graph: graphOf(after([x], sum), after([y, z], sum)) })
  expect(pruned.fetches.map(waits)).toEqual([[], []])
  expect(toposort(pruned).includes(z.node)).toBe(false)
}

async function bypassesGroups(): Promise<void> {
  const x = constant(1)
  const readers = (node: Node, n: number): Tensor[] => Array.from({ length: n }, () => after([node], x))
  const kinds = [
    { ins: 1, outs: 2, stays: false },
    { ins: 2, outs: 1, stays: false },
    { ins: 5, outs: 5, stays: true },
  ]
  for (const { ins, outs, stays } of kinds) {
    const node = group(...Array.from({ length: ins }, (_, i) => count(`v${i}`)))
    const pruned = await checkPass(prune, { graph: graphOf(...readers(node, outs)) })
    expect(toposort(pruned).includes(node)).toBe(stays)
  }
}

async function scalesFilters(): Promise<void> {
  const x = placeholder({ shape: [1, 3, 3, 1], name: 'x' })
  const filter = constant([[[[1, 2]]]])
  const scaled = repeated([layout, constantFold])
  await expectLeft(scaled, mul(conv(x, filter), 3), [x], 'Conv(x, [[[[3,6]]]])')
  await expectLeft(scaled, mul(constant([[[[10, 100]]]]), conv(x, filter)), [x], 'Conv(x, [[[[10,200]]]])')
  const overSpace = constant([[[1]], [[2]], [[3]]])
  await expectLeft(
    layout,
    mul(conv(x, filter), overSpace),
    [x],
    'Mul(Conv(x, [[[[1,2]]]]), [[[1]],[[2]],[[3]]])',
  )
  const read = conv(x, filter)
  expect(await left(layout, [mul(read, 3), read], [x])).toEqual([
    'Mul(Conv(x, [[[[1,2]]]]), 3)',
    'Conv(x, [[[[1,2]]]])',
  ])
}

async function movesBiases(): Promise<void> {
  const x = placeholder({ shape: [2, 1, 4, 3], name: 'x' })
  const filter = placeholder({ shape: [1, 3, 3, 5], name: 'filter' })
  const bias = placeholder({ shape: [5], name: 'bias' })
  const line = add(squeeze(conv(x, filter), { axes: [1] }), bias)
  await expectLeft(layout, line, [x, filter, bias], 'Reshape(Add(Conv(x, filter), bias))')
}

function supervisesPasses(): void {
  const x = placeholder({ shape: [2], name: 'x' })
  const graph = graphOf(neg(neg(tanh(x))))
  let now = 0
  const slow: Pass = {
    name: 'slow',
    run(g) {
      now += 1000
      return simplify.run(g)
    },
  }
  const late: string[] = []
  const limited = withDeadline([simplify, slow], {
    timeoutMs: 10,
    now: () => now,
    onTimeout: (name) => late.push(name),
  })
  expect(limited.run(graph) === graph).toBe(true)
  expect(late).toEqual(['slow'])
  const broken: Pass = { name: 'broken', run: () => graphOf(new SymbolicTensor(x.node, 7, x.type)) }
  expect(() => checked(broken).run(graph)).toThrow(GraphError)
  let runs = 0
  const counted: Pass = {
    name: 'counted',
    run(g) {
      runs++
      return { ...g }
    },
  }
  repeated([counted], { maxRounds: 2 }).run(graph)
  expect(runs).toBe(2)
}

export const waitingBehaviours: readonly Behaviour[] = [
  {
    id: 17,
    name: 'factors become part of constant filters, if they do not vary over space and nobody else reads the product',
    check: scalesFilters,
  },
  {
    id: 44,
    name: 'who waits for a value that nobody reads waits for what makes it',
    check: goesAroundUnreadValues,
  },
  { id: 46, name: 'nobody waits for constants', check: dropsEdgesFromConstants },
  { id: 47, name: 'groups are bypassed unless that makes more edges', check: bypassesGroups },
  { id: 56, name: 'a bias is added before the axes of a convolution are relabelled', check: movesBiases },
  {
    id: 64,
    name: 'late passes change nothing, broken graphs are refused, repetition is bounded',
    check: supervisesPasses,
  },
]
