import { describe, expect, it } from 'vitest'
import type { Tensor } from '../../index.ts'
import {
  add,
  caseOf,
  cond,
  constant,
  controlDependencies,
  device,
  DTypeError,
  fifoQueue,
  fill,
  gradients,
  graphFunction,
  identity,
  less,
  mul,
  placeholder,
  reference,
  scan,
  Session,
  ShapeError,
  stringToNumber,
  unique,
  variable,
  whileLoop,
} from '../../index.ts'

const p = placeholder({ shape: [], dtype: 'bool', name: 'p' })

describe('bodies', () => {
  it('may answer constants', () => {
    const session = new Session()
    const chosen = cond(
      p,
      () => constant([1, 2]),
      () => constant([3, 4]),
    )
    expect(session.runSync(chosen, { p: true }).toArray()).toEqual([1, 2])
    const [, last] = whileLoop(
      (i) => less(i, 3),
      (i) => [add(i, 1), constant([5, 6])],
      [0, [1, 2]],
    )
    expect(session.runSync(last!).toArray()).toEqual([5, 6])
    const { results } = scan((state) => [state, [constant([7, 8])]], [0], [[1, 2]])
    expect(session.runSync(results[0]!).toArray()).toEqual([
      [7, 8],
      [7, 8],
    ])
  })

  it('may answer what the host makes', async () => {
    const queue = fifoQueue({ types: [{ dtype: 'float32', shape: [] }], capacity: 9, name: 'queue' })
    const [, last] = whileLoop(
      (i) => less(i, 2),
      (i) => [add(i, 1), queue.dequeue()[0]!],
      [0, 0],
    )
    const session = new Session()
    await session.run(queue.enqueue([7]))
    await session.run(queue.enqueue([8]))
    expect((await session.run(last!)).item()).toBe(8)
  })

  it('take strings that they capture, and answer them', () => {
    const fixed = constant(['a'])
    const fed = placeholder({ shape: [1], dtype: 'string', name: 'fed' })
    const session = new Session()
    for (const [text, feeds] of [
      [fixed, { p: true }],
      [fed, { p: true, fed: ['a'] }],
    ] as const) {
      const chosen = cond(
        p,
        () => identity(text),
        () => constant(['b']),
      )
      expect(session.runSync(chosen, feeds).toArray()).toEqual(['a'])
      expect(session.runSync(chosen, { ...feeds, p: false }).toArray()).toEqual(['b'])
    }
    const number = constant('2')
    const [count] = whileLoop(
      (i) => less(i, 3),
      (i) => [add(i, stringToNumber(number, { dtype: 'float32' }))],
      [0],
    )
    expect(session.runSync(count!).item()).toBe(4)
  })

  it('of loops carry no strings', () => {
    expect(() =>
      whileLoop(
        (i) => less(i, 3),
        (i, text) => [add(i, 1), text!],
        [0, constant('a')],
      ),
    ).toThrow(DTypeError)
    expect(() => scan((state) => [state, []], [0], [constant(['a', 'b'])])).toThrow(/sequence 0 is string/)
    expect(() => scan((state) => [state, [constant('a')]], [0], [[1, 2]])).toThrow(/result 0 of a step/)
  })
})

describe('strings on several devices', () => {
  it('are handed from one to the other', async () => {
    const text = placeholder({ shape: [2], dtype: 'string', name: 'text' })
    const here = device('reference:0', () => identity(text))
    const there = device('reference:1', () => identity(here))
    const session = new Session({ devices: [reference(), reference()] })
    expect((await session.run(there, { text: ['a', 'b'] })).toArray()).toEqual(['a', 'b'])
  })
})

describe('graph functions', () => {
  const oneMore = graphFunction('oneMore', [{ shape: ['n'], dtype: 'float32' }], (a) => [
    add(a, fill({ shape: ['n'], value: 1 })),
  ])
  const twice = graphFunction('twice', [{ shape: ['n'], dtype: 'float32' }], (a) => [
    cond(
      p,
      () => add(a, fill({ shape: ['n'], value: 1 })),
      () => a,
    ),
  ])

  it('take the sizes of their arguments for the names of their parameters', () => {
    const session = new Session()
    expect(oneMore([1, 2, 3])[0]!.shape).toEqual([3])
    expect(session.runSync(oneMore([1, 2, 3])[0]!).toArray()).toEqual([2, 3, 4])
  })

  it('do not mix their names with those of the caller', () => {
    const x = placeholder({ shape: ['n'], name: 'x' })
    const y = placeholder({ shape: ['m'], name: 'y' })
    const answers = [x, oneMore(y)[0]!, twice(y)[0]!, twice(x)[0]!]
    expect(answers.map((t) => t.shape)).toEqual([['n'], ['m'], ['m'], ['n']])
    const values = new Session().runSync(answers, { p: true, x: [1], y: [1, 2] })
    expect(values.map((a) => a.toArray())).toEqual([[1], [2, 3], [2, 3], [2]])
  })

  it('make nothing of a size that only a run can tell', () => {
    const [found] = unique(constant([1, 1, 2]))
    expect(() => oneMore(found!)).toThrow(/'oneMore' makes a tensor of size 'n'/)
  })

  it('have gradients by arguments that are the same, or made of each other', () => {
    const product = graphFunction(
      'product',
      [
        { shape: [], dtype: 'float32' },
        { shape: [], dtype: 'float32' },
      ],
      (a, b) => [mul(a, b)],
    )
    const x = constant(3)
    const same = gradients(product(x, x)[0]!, [x])[0]!
    const made = gradients(product(x, mul(x, x))[0]!, [x])[0]!
    expect(new Session().runSync([same, made]).map((a) => a.item())).toEqual([6, 27])
  })

  it('refuse arguments that do not fit', () => {
    const sum = graphFunction(
      'sum',
      [
        { shape: ['n'], dtype: 'float32' },
        { shape: ['n'], dtype: 'float32' },
      ],
      (a, b) => [add(a, b)],
    )
    expect(() => sum([1], [1, 2])).toThrow(ShapeError)
    expect(() => sum([1], [1, 2])).toThrow(/'n' has two sizes: 1 and 2/)
    expect(() => sum([1], constant([1], 'float64'))).toThrow(/is float64, it takes float32/)
  })
})

describe('branches', () => {
  it('all answer a tensor, or all a list', () => {
    const build = (): unknown =>
      caseOf<Tensor | readonly Tensor[]>(0, [() => constant(1), () => [constant(1)]])
    expect(build).toThrow(/one branch answers a tensor, another a list/)
  })

  it('do not make what they capture wait twice', () => {
    const session = new Session()
    const v = variable(0, { name: 'v' })
    session.runSync(v.assign(0))
    const x = constant(3)
    const y = controlDependencies([v.assignAdd(1)], () =>
      cond(
        p,
        () => mul(x, 2),
        () => x,
      ),
    )
    expect(session.runSync(y, { p: true }).item()).toBe(6)
    expect(session.runSync(v.read()).item()).toBe(1)
  })
})
