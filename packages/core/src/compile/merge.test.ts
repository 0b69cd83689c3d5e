import { describe, expect, it } from 'vitest'
import {
  add,
  cast,
  cond,
  controlDependencies,
  div,
  equal,
  exp,
  group,
  inspectProgram,
  layerNorm,
  less,
  logSoftmax,
  matmul,
  max,
  mul,
  NDArray,
  placeholder,
  reference,
  reshape,
  Session,
  softmax,
  sparseSoftmaxCrossEntropy,
  gradients,
  sqrt,
  square,
  sub,
  sum,
  tanh,
  transpose,
  variable,
  zeros,
} from '../index.ts'
import type { Device, Fetches, FusedKernel, Tensor, Variable } from '../index.ts'
import { verifyKernel } from '../ir/verify.ts'

const x = placeholder({ shape: [32, 40], name: 'x' })
const labels = placeholder({ shape: [32], dtype: 'int32', name: 'labels' })
const feeds = [
  [
    x,
    new NDArray(
      'float32',
      [32, 40],
      Float32Array.from({ length: 1280 }, (_, i) => Math.sin(i * i)),
    ),
  ],
  [labels, Int32Array.from({ length: 32 }, (_, i) => (i * 7) % 40)],
] as const

/** A reference device that notes the kernels that it is asked for, after checking that they are legal. */
function noting(kernels: FusedKernel[]): Device {
  const device = reference()
  const { fuse } = device
  device.fuse = (kernel) => {
    verifyKernel(kernel)
    kernels.push(kernel)
    return fuse.call(device, kernel)
  }
  return device
}

/** The kernels of some fetches, after comparing their values with those of one kernel an op. */
function kernelsOf(...fetches: readonly Tensor[]): FusedKernel[] {
  const kernels: FusedKernel[] = []
  const used = feeds.filter(([t]) => fetches.some((fetch) => reads(fetch, t)))
  const values = new Session({ devices: [noting(kernels)] }).runSync(fetches, used)
  const plain = new Session({ fusion: false }).runSync(fetches, used)
  values.forEach((value, i) => {
    const expected = plain[i]!.numbers()
    value.numbers().forEach((v, k) => expect(v).toBeCloseTo(expected[k]!, 5))
  })
  return kernels
}

const reads = (t: Tensor, input: Tensor): boolean =>
  t === input || t.node.inputs.some((other) => reads(other, input))

/** How many kernels, and what they bind: inputs and outputs. */
const shapeOf = (kernels: readonly FusedKernel[]): string[] =>
  kernels.map(({ inputs, stores }) => `${inputs.length} to ${stores.length}`)

describe('kernels over the same loops', () => {
  it.each<[string, Tensor, string]>([
    ['a softmax', softmax(x), '1 to 1'],
    ['a softmax down the columns', softmax(x, { axis: 0 }), '1 to 1'],
    ['the logarithm of a softmax', logSoftmax(x), '1 to 1'],
    ['a layer normalisation', layerNorm(x), '1 to 1'],
    ['a value and the greatest of its row', sub(x, max(x, { axes: [1], keepDims: true })), '1 to 1'],
  ])('become one: %s', (_, fetch, shape) => {
    expect(shapeOf(kernelsOf(fetch))).toEqual([shape])
  })
  it('become one for a cross-entropy and its gradient', () => {
    const loss = sparseSoftmaxCrossEntropy(x, labels)
    expect(kernelsOf(loss, gradients(sum(loss), [x])[0])).toHaveLength(1)
  })
  it('become one where a value is stored and added up', () => {
    const stored = tanh(mul(x, x))
    expect(shapeOf(kernelsOf(stored, sum(stored, { axes: [0] })))).toEqual(['1 to 2'])
  })
  it('stay two where one needs another point of the other', () => {
    const stored = exp(add(exp(x), 1))
    expect(kernelsOf(stored, add(tanh(tanh(tanh(transpose(stored)))), 1))).toHaveLength(2)
  })
  it('read a value under another shape at the right place', () => {
    const square = placeholder({ shape: [8, 8], name: 'square' })
    const value = exp(add(exp(square), 1))
    const other = reshape(transpose(value), { shape: [8, 8] })
    const data = new NDArray(
      'float32',
      [8, 8],
      Float32Array.from({ length: 64 }, (_, i) => i / 64),
    )
    const fetches = [add(value, other), sub(value, reshape(value, { shape: [8, 8] }))]
    const values = new Session().runSync(fetches, [[square, data]])
    const plain = new Session({ fusion: false }).runSync(fetches, [[square, data]])
    values.forEach((value, i) => expect(value.numbers()).toEqual(plain[i]!.numbers()))
  })
})

describe('half precision', () => {
  it('is the same wherever it is computed, stored or not', () => {
    const y = mul(cast(x, { to: 'bfloat16' }), 1.1)
    const greatest = max(y, { axes: [1], keepDims: true })
    const hits = sum(cast(equal(y, greatest), { to: 'float32' }))
    const fetches = [hits, sub(y, greatest), y]
    const run = (session: Session) => session.runSync(fetches, feeds.slice(0, 1)).map((v) => v.numbers())
    expect(run(new Session())).toEqual(run(new Session({ fusion: false })))
  })
})

describe('kernels that only read the same', () => {
  it('stay apart where all that they make would have to be kept at once', async () => {
    const w = variable(zeros([40, 40]), { name: 'w' })
    const branches = Array.from({ length: 12 }, (_, i): Tensor => sum(square(matmul(tanh(mul(x, i)), w))))
    const total: Tensor = branches.reduce((a: Tensor, b: Tensor) => add(a, b))
    const slotsOf = async (session: Session): Promise<number> => {
      const [program] = await session.programs(total, feeds.slice(0, 1))
      return inspectProgram(program!).memory.slots
    }
    const bytes = 4 * 32 * 40
    expect(await slotsOf(new Session())).toBeLessThan(6 * bytes)
  })
})

describe('targets', () => {
  it('run though nobody reads them', () => {
    const y = exp(add(exp(x), 1))
    const session = new Session()
    expect(() => session.runSync(group(y, sum(y)), feeds.slice(0, 1))).not.toThrow()
    expect(() => session.runSync([y.node, tanh(add(x, 2)).node], feeds.slice(0, 1))).not.toThrow()
  })
})

describe('assignments', () => {
  const start = Float32Array.from({ length: 1280 }, (_, i) => Math.cos(i))
  const state = (name: string) => variable(new NDArray('float32', [32, 40], start.slice()), { name })
  it('are written by the kernel that computes them, all of an optimizer step by one', async () => {
    const [p, m, v] = [state('p'), state('m'), state('v')]
    const nextM = add(mul(m, 0.9), mul(x, 0.1))
    const nextV = add(mul(v, 0.99), mul(square(x), 0.01))
    const step = group(
      m.assign(nextM),
      v.assign(nextV),
      p.assign(sub(p, div(mul(nextM, 0.1), add(sqrt(nextV), 1e-3)))),
    )
    const kernels: FusedKernel[] = []
    const copies: number[] = []
    const device = noting(kernels)
    const { copy } = device
    device.copy = (bytes) => {
      copies.push(bytes)
      return copy.call(device, bytes)
    }
    const run = async (session: Session): Promise<unknown> => {
      await session.initialize(step)
      kernels.length = copies.length = 0
      for (let i = 0; i < 2; i++) session.runSync(step, feeds.slice(0, 1))
      return session.runSync([p, m, v]).map((value) => value.numbers())
    }
    const merged = await run(new Session({ devices: [device] }))
    expect(shapeOf(kernels)).toEqual(['4 to 3'])
    expect(copies).toEqual([])
    expect(merged).toEqual(await run(new Session({ fusion: false })))
  })
  it('are not written before those who read the old value', async () => {
    const p = state('p')
    const old = exp(add(exp(p), 1))
    const next = mul(tanh(mul(p, x)), 2)
    const fetches = [transpose(old), p.assign(next), add(old, next)]
    const run = async (session: Session) => {
      await session.initialize(fetches)
      return session.runSync(fetches, feeds.slice(0, 1)).map((v) => v.numbers())
    }
    expect(await run(new Session())).toEqual(await run(new Session({ fusion: false })))
  })
  it('are copied where the new value needs other elements of the old one', async () => {
    const p = variable(
      new NDArray(
        'float32',
        [40, 40],
        Float32Array.from({ length: 1600 }, (_, i) => i),
      ),
      {
        name: 'p',
      },
    )
    const next = p.assign(add(transpose(p), 1))
    const run = async (session: Session) => {
      await session.initialize(next)
      return [session.runSync(next).numbers(), session.runSync(p).numbers()]
    }
    expect(await run(new Session())).toEqual(await run(new Session({ fusion: false })))
  })
  const small = less(max(x), 100)
  it.each<[string, (p: Variable, q: Variable) => Fetches]>([
    ['one variable is given what another was', (p, q) => q.assign(p.assign(tanh(x)))],
    ['two variables are given the same', (p, q) => [p.assign(exp(x)), q.assign(exp(x))]],
    [
      'a variable is written by two kernels, and read between',
      (p) => {
        const first = p.assign(exp(x))
        const between = controlDependencies([first], () => transpose(p))
        const second = controlDependencies([between], () => p.assign(tanh(mul(transpose(between), 2))))
        return [first, between, second]
      },
    ],
    ['a variable is written twice', (p) => controlDependencies([p.assign(exp(x))], () => p.assign(tanh(p)))],
    [
      'a body answers what it assigned under another shape',
      (p) =>
        cond(
          small,
          () => reshape(p.assign(exp(x)), { shape: [1280] }),
          () => zeros([1280]),
        ),
    ],
    [
      'a body assigns and answers a value under another shape',
      (p) => {
        const body = () => {
          const value = exp(x)
          return controlDependencies([p.assign(value)], () => reshape(value, { shape: [1280] }))
        }
        return cond(small, body, () => zeros([1280]))
      },
    ],
  ])('keep every value where %s', async (_, build) => {
    const [p, q] = [state('p'), state('q')]
    const built: unknown = build(p, q)
    const fetches = (Array.isArray(built) ? built : [built]) as readonly Tensor[]
    const run = async (session: Session) => {
      await session.initialize(fetches, p, q)
      const values = session.runSync(fetches, feeds.slice(0, 1))
      return [...values, ...session.runSync([p, q])].map((value) => value.numbers())
    }
    expect(await run(new Session())).toEqual(await run(new Session({ fusion: false })))
  })
  it('give variables without elements a value too', async () => {
    const some = placeholder({ shape: [0, 3], name: 'some' })
    const p = variable(new NDArray('float32', [0, 3], new Float32Array(0)), { name: 'p' })
    const session = new Session()
    session.runSync(p.assign(exp(some)), [[some, new NDArray('float32', [0, 3], new Float32Array(0))]])
    expect(await session.isInitialized(p)).toBe(true)
  })
})
