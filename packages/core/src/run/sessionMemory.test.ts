// What a session keeps and gives back: memory of programs that fail to compile or run once, programs of staged graphs, variables.
import { describe, expect, it } from 'vitest'
import {
  add,
  ClosedError,
  cond,
  constant,
  device,
  DTypeError,
  identity,
  matmul,
  mul,
  ndarray,
  placeholder,
  reference,
  Session,
  ShapeError,
  UninitializedError,
  variable,
} from '../index.ts'
import type { Device } from '../index.ts'

/** A reference device that counts what is prepared and how many bytes are taken; without kernels it promises them all the same. */
function counting({ kernels = true } = {}) {
  const real = kernels ? reference() : reference({})
  const count = { bytes: 0, prepared: 0 }
  const counted: Partial<Device> = {
    supports: () => true,
    alloc: (bytes) => {
      count.bytes += bytes
      return real.alloc(bytes)
    },
    free: (buffer) => {
      count.bytes -= buffer.bytes
    },
    fuse: (kernel) => {
      count.prepared++
      return real.fuse(kernel)
    },
    kernel: (op, signature) => {
      count.prepared++
      return real.kernel(op, signature)
    },
  }
  const on: Device = new Proxy(real, {
    get: (target, key) => {
      const value: unknown = Reflect.get(Object.hasOwn(counted, key) ? counted : target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { count, on }
}

const x = placeholder({ shape: [20, 20], name: 'x' })
const ones = ndarray(new Float32Array(400).fill(1), 'float32', [20, 20])

describe('a graph that does not compile', () => {
  it('gives its memory back, that of its bodies too', async () => {
    const { on, count } = counting({ kernels: false })
    const session = new Session({ devices: [on] })
    const p = placeholder({ shape: [], dtype: 'bool', name: 'p' })
    const branch = cond(
      p,
      () => mul(x, 2),
      () => matmul(x, x),
    )
    await expect(session.run(add(mul(x, 3), branch), { x: ones, p: true })).rejects.toThrow('no kernel')
    expect(count.bytes).toBe(0)
    await session.close()
  })

  it('gives the memory of all devices back', async () => {
    const [good, bad] = [counting(), counting({ kernels: false })]
    const session = new Session({ devices: [good.on, bad.on] })
    const v = device('reference:1', () => variable(ones, { name: 'v' }))
    await session.initialize(v)
    const before = [good.count.bytes, bad.count.bytes]
    const there = device('reference:1', () => matmul(v, v))
    const both = [device('reference:0', () => mul(x, 2)), there]
    await expect(session.run(both, { x: ones })).rejects.toThrow('no kernel')
    expect([good.count.bytes, bad.count.bytes]).toEqual(before)
    await session.close()
  })
})

describe('a program', () => {
  it('is compiled once, whatever the order of its feeds', async () => {
    const { on, count } = counting()
    const session = new Session({ devices: [on] })
    const [a, b] = [placeholder({ shape: [], name: 'a' }), placeholder({ shape: [], name: 'b' })]
    const y = add(mul(a, 2), b)
    expect((await session.run(y, { a: 1, b: 10 })).item()).toBe(12)
    const once = count.prepared
    expect((await session.run(y, { b: 20, a: 2 })).item()).toBe(24)
    expect(count.prepared).toBe(once)
    await session.close()
  })

  it('that asks for values before there are any is not kept', async () => {
    const { on, count } = counting()
    const session = new Session({ devices: [on] })
    const v = variable(ones, { name: 'v' })
    await expect(session.run(mul(v, 2))).rejects.toThrow(UninitializedError)
    expect(count.bytes).toBe(ones.bytes.length)
    await session.close()
  })
})

describe('initial and restored values', () => {
  it('leave no programs behind and push none out', async () => {
    const { on, count } = counting()
    const session = new Session({ devices: [on], maxPrograms: 2 })
    const y = mul(x, 2)
    await session.run(y, { x: ones })
    const vs = Array.from({ length: 5 }, (_, i) => variable(mul(ones, i), { name: `v${i}` }))
    const before = count.bytes
    await session.initialize(vs)
    for (const v of vs) await session.write(v, ones)
    expect(count.bytes - before).toBe(5 * 1600)
    const prepared = count.prepared
    await session.run(y, { x: ones })
    expect(count.prepared).toBe(prepared)
    expect((await session.run(vs[4]!)).toArray()).toEqual(ones.toArray())
    await session.close()
  })

  it('must fit', async () => {
    const session = new Session()
    const v = variable([1, 2], { name: 'v' })
    await expect(session.write(v, ndarray([1, 2, 3]))).rejects.toThrow(ShapeError)
    await expect(session.write(v, ndarray([1, 2], 'int32'))).rejects.toThrow(DTypeError)
    expect(await session.isInitialized(v)).toBe(false)
    await session.close()
    await expect(session.write(v, ndarray([1, 2]))).rejects.toThrow(ClosedError)
  })

  it('are restored where they would have been made', async () => {
    const session = new Session({ devices: [reference(), reference()] })
    const v = device('reference:1', () => variable([1, 2], { name: 'v' }))
    await session.write(v, ndarray([3, 4]))
    const ran: string[] = []
    const onTrace = (events: readonly { readonly device: string }[]): void =>
      events.forEach((e) => ran.push(e.device))
    const y = await session.run(
      device('reference:1', () => mul(v, 2)),
      {},
      { onTrace },
    )
    expect(y.toArray()).toEqual([6, 8])
    expect(new Set(ran)).toEqual(new Set(['/job:localhost/task:0/device:reference:1']))
    await session.close()
  })
})

describe('closing', () => {
  it('twice waits for the same end', async () => {
    const ended: string[] = []
    const real = reference()
    const slow: Device = new Proxy(real, {
      get: (target, key) => {
        if (key === Symbol.asyncDispose)
          return async () => {
            await Promise.resolve()
            ended.push('device')
          }
        const value: unknown = Reflect.get(target, key)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const session = new Session({ devices: [slow] })
    await session.run(identity(constant(1)))
    void session.close()
    await session.close()
    expect(ended).toEqual(['device'])
  })
})
