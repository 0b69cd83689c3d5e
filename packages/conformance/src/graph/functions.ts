// Behaviours of graph functions: their bodies take the place of their calls.
import type { Graph, Tensor } from '@shoal/core'
import {
  add,
  constant,
  controlDependencies,
  gradients,
  graphFunction,
  inline,
  mul,
  ndarray,
  placeholder,
  Session,
  sub,
  toposort,
  variable,
  verify,
} from '@shoal/core'
import { expect } from 'vitest'
import { checkPass } from '../passSuite.ts'
import type { Behaviour } from './behaviour.ts'

const scalar = { dtype: 'float32', shape: [] } as const
const graphOf = (...fetches: Tensor[]): Graph => ({ fetches, targets: [] })
const names = (graph: Graph): string[] => toposort(graph).map((node) => node.name)
const ops = (graph: Graph): string[] => toposort(graph).map((node) => node.op.name)

async function inlinesBodies(): Promise<void> {
  const x = placeholder({ shape: [], name: 'x' })
  const feeds = new Map([[x, ndarray(3)]])
  const twice = graphFunction('twice', [scalar], (t) => [mul(t, 2)])
  const fourTimes = graphFunction('fourTimes', [scalar], (t) => [twice(twice(t)[0]!)[0]!])
  const seven = graphFunction('seven', [], () => [add(constant(3), 4)])
  const both = graphFunction('both', [scalar], (t) => [add(t, 1), sub(t, 1)])
  const same = graphFunction('same', [scalar], (t) => [t])
  const [more, less] = both(x) as [Tensor, Tensor]
  const graph = graphOf(twice(x)[0]!, fourTimes(x)[0]!, seven()[0]!, mul(less, 10), more, same(x)[0]!)
  const after = await checkPass(inline, { graph, feeds })
  expect(ops(after)).not.toContain('Call')
  expect(names(after)).toContain('twice/mul')
  expect(names(after).filter((name) => name.startsWith('fourTimes/twice')).length).toBeGreaterThan(1)
  expect(after.fetches[5]).toBe(x)
}

async function keepsEffects(): Promise<void> {
  const v = variable(5, { name: 'counter' })
  const multiply = graphFunction('multiply', [scalar, scalar], (a, b) => {
    const counted = v.assignAdd(1)
    return [controlDependencies([counted], () => mul(a, b))]
  })
  const [a, b] = [constant(2), constant(3)]
  const first = multiply(a, b)[0]!
  const second = multiply(first, first)[0]!
  const seen = controlDependencies([second], () => v.read())
  verify(inline.run(graphOf(second, seen)))
  await using session = new Session()
  await session.initialize([second, seen])
  const [product, count] = await session.run([second, seen] as const)
  expect([product.item(), count.item()]).toEqual([36, 7])
}

async function dropsUnusedOutputs(): Promise<void> {
  const x = placeholder({ shape: [], name: 'x' })
  const three = graphFunction('three', [scalar], (t) => [add(t, 1), mul(t, 2), sub(t, 3)])
  const kinds = [
    { used: [0, 1, 2], left: ['Add', 'Mul', 'Sub'] },
    { used: [0], left: ['Add'] },
    { used: [1], left: ['Mul'] },
    { used: [2], left: ['Sub'] },
    { used: [0, 2], left: ['Add', 'Sub'] },
  ]
  for (const { used, left } of kinds) {
    const outputs = three(x)
    const graph = graphOf(...used.map((i) => outputs[i]!))
    const after = await checkPass(inline, { graph, feeds: new Map([[x, ndarray(3)]]) })
    expect(ops(after).filter((name) => ['Add', 'Mul', 'Sub'].includes(name))).toEqual(left)
  }
}

async function differentiatesCalls(): Promise<void> {
  const x = placeholder({ shape: [], name: 'x' })
  const cube = graphFunction('cube', [scalar], (t) => [mul(t, mul(t, t))])
  const uncalled = graphFunction('uncalled', [scalar], (t) => [add(t, 1)])
  expect(uncalled).toBeTypeOf('function')
  const slope = gradients(cube(x)[0]!, [x])[0]!
  const after = await checkPass(inline, { graph: graphOf(slope), feeds: new Map([[x, ndarray(2)]]) })
  expect(ops(after)).not.toContain('Call')
  expect(names(after).some((name) => name.includes('uncalled'))).toBe(false)
  await using session = new Session()
  expect((await session.run(slope, [[x, 2]])).item()).toBe(12)
}

export const functionBehaviours: readonly Behaviour[] = [
  {
    id: 49,
    name: 'bodies take the place of calls, named under them, however deeply they are nested',
    check: inlinesBodies,
  },
  { id: 50, name: 'effects of both calls happen, once each and in order', check: keepsEffects },
  { id: 52, name: 'of a body only the outputs in use are left', check: dropsUnusedOutputs },
  {
    id: 53,
    name: 'functions that nobody calls are not there; the gradient of a call is that of its body',
    check: differentiatesCalls,
  },
]
