// A graph written and read again is the same graph; what is not a graph is refused by name.
import { describe, expect, it } from 'vitest'
import { GraphDefError, ShoalError } from '../errors.ts'
import { ndarray } from '../ndarray.ts'
import { reshape } from '../ops/array/reshape.ts'
import { constant } from '../ops/constant.ts'
import { hostFunction } from '../ops/debug/hostFunction.ts'
import { placeholder } from '../ops/graph/placeholder.ts'
import { whileLoop } from '../ops/control/whileLoop.ts'
import { matmul } from '../ops/linalg/matmul.ts'
import { add } from '../ops/math/add.ts'
import { less } from '../ops/math/less.ts'
import { mul } from '../ops/math/mul.ts'
import { fifoQueue } from '../ops/state/queue.ts'
import { variable } from '../ops/state/variable.ts'
import { customGradient } from '../autodiff/customGradient.ts'
import type { GraphDef } from './def.ts'
import { fromGraphDef } from './fromGraphDef.ts'
import type { Graph } from './graph.ts'
import { printGraph } from './print.ts'
import { controlDependencies, device } from './scope.ts'
import { toGraphDef } from './toGraphDef.ts'

function example(): Graph {
  const x = placeholder({ shape: ['batch', 3], name: 'x' })
  const w = variable(
    [
      [1, 2],
      [3, 4],
      [5, NaN],
    ],
    { name: 'w' },
  )
  const b = variable(mul(w.read(), 2), { name: 'b' })
  const queue = fifoQueue({ types: [{ dtype: 'int64', shape: [2] }], capacity: 3, name: 'q' })
  const enqueue = queue.enqueue([constant([2n ** 62n, -1n])])
  const y = device('cpu:0', () => controlDependencies([enqueue], () => matmul(x, w.read(), { name: 'y' })))
  const [count] = whileLoop(
    (i) => less(i!, 3),
    (i, step) => [add(i!, step!), step!],
    [constant(0), constant(1)],
  )
  return {
    fetches: [y, reshape(b.read(), { shape: [-1] }), constant(['a', 'é']), count!],
    targets: [queue.close()],
  }
}
const copy = (def: GraphDef): GraphDef => JSON.parse(JSON.stringify(def)) as GraphDef
const minimal = (nodes: readonly object[], more: object = {}): object => ({
  format: 'shoal-graph',
  version: 1,
  resources: [],
  graph: { nodes, fetches: [], targets: [] },
  fetchNames: [],
  ...more,
})

describe('GraphDef', () => {
  it('is the same after a round trip through JSON text', () => {
    const graph = example()
    const def = toGraphDef(graph)
    const loaded = fromGraphDef(JSON.stringify(def))
    expect(copy(toGraphDef(loaded.graph))).toEqual(copy(def))
    expect(printGraph(loaded.graph)).toBe(printGraph(graph))
  })

  it('keeps the initial values of variables, also those that read others', () => {
    const { resources } = fromGraphDef(toGraphDef(example()))
    const [w, b] = [resources.get('w')!, resources.get('b')!]
    expect(w.kind === 'variable' && w.initial?.node.op.name).toBe('Const')
    expect(b.kind === 'variable' && b.initial?.node.inputs[0]!.node.attrs['resource']).toBe(w)
  })

  it('leaves initial values out where nobody shall start from them', () => {
    const def = toGraphDef(example(), { initialValues: false })
    const variables = [...fromGraphDef(def).resources.values()].filter(({ kind }) => kind === 'variable')
    expect(variables.map(({ name, ...rest }) => [name, 'initial' in rest])).toEqual([
      ['w', false],
      ['b', false],
    ])
    expect(def.graph.nodes.length).toBeLessThan(toGraphDef(example()).graph.nodes.length)
  })

  it('finds tensors by the names that they were written under', () => {
    const x = placeholder({ shape: [], name: 'x' })
    const loaded = fromGraphDef(toGraphDef({ double: add(x, x), x }))
    expect(loaded.fetches.get('double')!.node.op.name).toBe('Add')
    expect(loaded.nodes.get('x')!.op.name).toBe('Placeholder')
  })

  it('writes composites that the reader does not know as their parts', () => {
    const x = constant([1, 2])
    const y = customGradient(
      [x],
      (v) => mul(v, 3),
      ({ dy }) => [dy],
    )
    const { graph } = toGraphDef({ y })
    expect(graph.nodes.map((node) => node.op)).not.toContain('CustomGradient')
    expect(graph.nodes.map((node) => node.op)).toContain('Mul')
  })

  it('cannot hold functions of this process', () => {
    const [y] = hostFunction([constant(1)], (xs) => xs, {
      types: [{ dtype: 'float32', shape: [] }],
      name: 'mine',
    })
    expect(() => toGraphDef({ y: y! })).toThrow("HostFunction 'mine'")
  })

  const a = { name: 'a', op: 'Const', attrs: { value: { dtype: 'float32', shape: [1], base64: 'AACAPw==' } } }
  it.each([
    ['another format', { ...minimal([]), format: 'onnx' }, "format must be 'shoal-graph'"],
    ['another version', { ...minimal([]), version: 2 }, 'version must be 1'],
    ['no object', 3, 'the document must be an object'],
    ['text that is not JSON', '{', 'not JSON'],
    ['an unknown op', minimal([{ name: 'a', op: 'Nonsense' }]), "graph.nodes[0].op is 'Nonsense'"],
    ['a missing attribute', minimal([{ name: 'a', op: 'Const' }]), "attribute 'value'"],
    [
      'an attribute of no meaning',
      minimal([{ name: 'a', op: 'Placeholder', attrs: { colour: 1 } }]),
      'attrs.colour is no attribute of Placeholder',
    ],
    ['two nodes of one name', minimal([a, a]), "graph.nodes[1].name is 'a', which an earlier node has"],
    [
      'a forward reference',
      minimal([{ name: 'b', op: 'Neg', inputs: ['a:0'] }, a]),
      "inputs[0] refers to 'a', which comes later",
    ],
    [
      'a node that needs itself',
      minimal([{ name: 'b', op: 'Neg', inputs: ['b:0'] }]),
      "inputs[0] refers to 'b', which comes later",
    ],
    [
      'a name that nothing has',
      minimal([{ name: 'b', op: 'Neg', inputs: ['c:0'] }]),
      "refers to 'c', which is no node",
    ],
    [
      'an output that is not there',
      minimal([a, { name: 'b', op: 'Neg', inputs: ['a:1'] }]),
      "refers to output 1 of 'a', which has 1",
    ],
    [
      'shapes that do not fit',
      minimal([a, { name: 'b', op: 'MatMul', inputs: ['a:0', 'a:0'] }]),
      'needs matrices',
    ],
    [
      'a short array',
      minimal([{ ...a, attrs: { value: { dtype: 'float32', shape: [2 ** 40], base64: 'AACAPw==' } } }]),
      'must hold',
    ],
    [
      'broken base64',
      minimal([{ ...a, attrs: { value: { dtype: 'float32', shape: [1], base64: 'AAC!Pw==' } } }]),
      'base64',
    ],
  ])('is refused with %s', (_, json, message) => {
    expect(() => fromGraphDef(json)).toThrow(GraphDefError)
    expect(() => fromGraphDef(json)).toThrow(message)
  })

  it('is refused beyond its limits', () => {
    const def = toGraphDef(example())
    expect(() => fromGraphDef(def, { limits: { maxNodes: 5 } })).toThrow('more than 5')
    expect(() => fromGraphDef(def, { limits: { maxBytes: 16 } })).toThrow('more than 16')
    expect(() => fromGraphDef(def, { limits: { maxDepth: 0 } })).toThrow('deeper than 0 bodies')
  })

  it('never fails with anything but an error of its own, whatever is done to it', () => {
    const whole = JSON.stringify(toGraphDef(example()))
    const random = generator(7)
    let refused = 0
    for (let round = 0; round < 3000; round++) {
      const json = mutate(JSON.parse(whole), random, 1 + Math.floor(random() * 3))
      try {
        fromGraphDef(json)
      } catch (error) {
        if (!(error instanceof ShoalError))
          throw new Error(`round ${round}: ${JSON.stringify(json)}`, { cause: error })
        refused++
      }
    }
    expect(refused).toBeGreaterThan(1000)
  })

  it('refuses truncated text', () => {
    const whole = JSON.stringify(toGraphDef(example()))
    for (let length = 0; length < whole.length; length += 37)
      expect(() => fromGraphDef(whole.slice(0, length))).toThrow(GraphDefError)
  })
})

/** Numbers in [0, 1) from a seed (xorshift32). */
function generator(seed: number): () => number {
  let x = seed
  return () => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return (x >>> 0) / 2 ** 32
  }
}

const strays: readonly unknown[] = [
  null,
  undefined,
  -1,
  0,
  1e300,
  2 ** 53,
  NaN,
  '',
  ':',
  'w',
  '^w',
  'x:0',
  '?',
  '__proto__',
  [],
  {},
  [[]],
  true,
  'float32',
]

/** Changes `count` random places of a document. */
function mutate(json: unknown, random: () => number, count: number): unknown {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
  for (let i = 0; i < count; i++) {
    const places: { holder: Record<string, unknown>; key: string }[] = []
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return
      for (const key of Object.keys(value)) {
        places.push({ holder: value as Record<string, unknown>, key })
        visit((value as Record<string, unknown>)[key])
      }
    }
    visit(json)
    const { holder, key } = pick(places)
    const other = pick(places)
    const change = random()
    if (change < 0.15) delete holder[key]
    else if (change < 0.5) holder[key] = pick(strays)
    else if (change < 0.8) holder[key] = structuredClone(other.holder[other.key])
    else if (typeof holder[key] === 'string') holder[key] = `${holder[key]}`.slice(1)
    else holder[key] = [holder[key], ndarray([1]).shape]
  }
  return json
}
