import { describe, expect, it } from 'vitest'
import type { Tensor, Variable } from '../index.ts'
import {
  add,
  cond,
  constant,
  controlDependencies,
  customGradient,
  defineOp,
  device,
  gelu,
  GradientError,
  gradients,
  graphFunction,
  gru,
  less,
  mul,
  ndarray,
  neg,
  placeholder,
  scan,
  Session,
  square,
  sum,
  toposort,
  variable,
  whileLoop,
} from '../index.ts'

const waves = (shape: number[], size: number) =>
  ndarray(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => size * Math.sin(i + 1)),
    'float32',
    shape,
  )

describe('the gradient by a variable that a body reads', () => {
  const constructs: Record<string, { build: (v: Variable) => Tensor; expected: number }> = {
    cond: {
      build: (v) =>
        cond(
          true,
          () => mul(v, 2),
          () => constant(0),
        ),
      expected: 2,
    },
    scan: {
      build: (v) => scan(([sum], [row]) => [[add(sum!, mul(v, row!))], []], [0], [[1, 2, 3]]).state[0]!,
      expected: 6,
    },
    whileLoop: {
      build: (v) =>
        whileLoop(
          (i) => less(i, 3),
          (i, product) => [add(i, 1), mul(product!, v)],
          [0, 1],
          { maxIterations: 4 },
        )[1]!,
      expected: 27,
    },
    graphFunction: { build: (v) => graphFunction('f', [], () => [square(v.read())])()[0]!, expected: 6 },
    'a cond in a scan': {
      build: (v) =>
        scan(
          ([sum], [row]) => [
            [
              add(
                sum!,
                cond(
                  less(row!, 2.5),
                  () => mul(v, row!),
                  () => row!,
                ),
              ),
            ],
            [],
          ],
          [0],
          [[1, 2, 3]],
        ).state[0]!,
      expected: 3,
    },
  }
  for (const [name, { build, expected }] of Object.entries(constructs))
    it(`is found in ${name}, whether or not it was read before`, () => {
      const v = variable(3, { name: 'v' })
      const session = new Session()
      session.runSync(v.assign(3))
      const first = gradients(build(v), [v])[0]!
      v.read()
      const second = gradients(build(v), [v])[0]!
      expect(session.runSync([first, second]).map((g) => g.item())).toEqual([expected, expected])
    })

  it('is an error where the body also writes it', () => {
    const v = variable(3, { name: 'v' })
    const y = cond(
      true,
      () => controlDependencies([v.assignAdd(1)], () => mul(v, 2)),
      () => constant(0),
    )
    expect(() => gradients(y, [v])).toThrow(GradientError)
    expect(() => gradients(y, [v])).toThrow(/its body reads 'v'/)
  })

  it('agrees with differences for the hidden bias of a GRU', async () => {
    const weights = {
      input: variable(waves([2, 9], 1), { name: 'input' }),
      hidden: variable(waves([3, 9], 0.5), { name: 'hidden' }),
      hiddenBias: variable(waves([9], 0.3), { name: 'hiddenBias' }),
    }
    const loss = sum(square(gru(waves([1, 4, 2], 0.7), weights).outputs))
    const [gradient] = gradients(loss, [weights.hiddenBias])
    const session = new Session()
    await session.initialize(loss, gradient)
    const found = session.runSync(gradient).numbers()
    const start = session.runSync(weights.hiddenBias.read())
    const step = 0.01
    for (let i = 0; i < 9; i++) {
      const written = (by: number): number => {
        session.runSync(weights.hiddenBias.assign(start))
        session.runSync(
          weights.hiddenBias.assignAdd(Float32Array.from({ length: 9 }, (_, k) => (k === i ? by : 0))),
        )
        return Number(session.runSync(loss).item())
      }
      expect(found[i]).toBeCloseTo((written(step) - written(-step)) / (2 * step), 2)
    }
  })
})

describe('a reading in a body', () => {
  it('is one of every step where the body writes, whatever was read before', () => {
    const session = new Session()
    for (const before of [false, true]) {
      const v = variable(0, { name: `counted${before}` })
      session.runSync(v.assign(0))
      if (before) v.read()
      const [, total] = whileLoop(
        (i) => less(i, 3),
        (i, total) => {
          const old = v.read()
          return [
            add(i, 1),
            add(
              total!,
              controlDependencies([v.assignAdd(1)], () => mul(old, 1)),
            ),
          ]
        },
        [0, 0],
      )
      expect(session.runSync(total!).item()).toBe(3)
      expect(session.runSync(v.read()).item()).toBe(3)
    }
  })

  it('waits for what its construct waits for', () => {
    const session = new Session()
    const v = variable(0, { name: 'awaited' })
    session.runSync(v.assign(1))
    const read = graphFunction('read', [], () => [mul(v, 1)])
    const chosen = controlDependencies([v.assignAdd(1)], () =>
      cond(
        true,
        () => mul(v, 10),
        () => constant(0),
      ),
    )
    expect(session.runSync(chosen).item()).toBe(20)
    expect(session.runSync(v.read()).item()).toBe(2)
    expect(session.runSync(controlDependencies([v.assignAdd(1)], () => read()[0]!)).item()).toBe(3)
    expect(session.runSync(read()[0]!).item()).toBe(3)
  })
})

describe('a source in the middle', () => {
  it('may be the result of a composite', () => {
    const x = constant([0.5, -1, 2])
    const h = gelu(x)
    const [dx, dh] = gradients(sum(square(h)), [x, h])
    const [alone] = gradients(sum(square(gelu(x))), [x])
    const session = new Session()
    const [values, through, by, whole] = session.runSync([h, dx, dh, alone])
    expect(by!.numbers()).toEqual(values!.numbers().map((value) => 2 * value))
    expect(through!.numbers()).toEqual(whole!.numbers())
  })

  it('is told from the input that a composite answers', () => {
    const pass = defineOp({
      name: 'Pass',
      doc: 'Answers its input.',
      inputs: ['x'],
      infer: ([x]) => [x],
      body: { kind: 'composite', build: ([x]) => x },
    })
    const x = constant([1, 2])
    const h = pass(x)
    const [dx, dh] = gradients(sum(add(mul(h, 3), x)), [x, h])
    expect(new Session().runSync([dx, dh]).map((g) => g.toArray())).toEqual([
      [4, 4],
      [3, 3],
    ])
  })
})

describe('what does not fit', () => {
  const x = placeholder({ shape: [3], name: 'x' })

  it('is told of seeds', () => {
    const y = mul(x, 2)
    expect(() => gradients(y, [x], { seeds: [] })).toThrow(/0 seeds were given for 1 tensors/)
    expect(() => gradients(y, [x], { seeds: [constant([1, 2])] })).toThrow(/seed 0 is float32\[2\]/)
    expect(() => gradients(y, [x], { seeds: [constant([1, 2, 3], 'float64')] })).toThrow(GradientError)
  })

  it('is told of the answers of gradient rules', () => {
    const y = customGradient(
      [x],
      (v) => mul(v, 2),
      () => [constant(1)],
      { name: 'mine' },
    )
    expect(() => gradients(y, [x])).toThrow(
      "CustomGradient 'mine': its gradient by input 0 is float32[], it must be float32[3]",
    )
  })
})

describe('gradients', () => {
  it('start, and are added up, where their nodes are', () => {
    const x = constant([1, 2])
    const dx = device('reference:1', () => {
      const h = neg(x)
      return { h, y: add(square(h), mul(h, 3)) }
    })
    const [dh] = gradients(dx.y, [dx.h])
    const made = toposort({ fetches: [dh], targets: [] }).filter((node) => node.name.startsWith('gradients/'))
    expect(made.length).toBeGreaterThan(2)
    expect(new Set(made.map((node) => node.device))).toEqual(new Set(['/device:reference:1']))
  })
})
