import { describe, expect, it } from 'vitest'
import type { Device } from '../index.ts'
import { customGradient, gradients, mul, placeholder, reference, Session } from '../index.ts'

/** A reference device that counts what it is asked to compile. */
function counting(): { device: Device; compiled(): number } {
  const inner = reference()
  let compiled = 0
  const device = new Proxy(inner, {
    get(target, key) {
      if (key === 'fuse') compiled++
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  return { device, compiled: () => compiled }
}

describe('a custom gradient', () => {
  it('learns its sizes with the graph, which is compiled once for them', () => {
    const x = placeholder({ shape: ['batch'], name: 'x' })
    const doubled = mul(
      customGradient(
        [x],
        (v) => mul(v, 3),
        ({ dy }) => [mul(dy, 5)],
      ),
      2,
    )
    expect(doubled.shape).toEqual(['batch'])
    const { device, compiled } = counting()
    const session = new Session({ devices: [device] })
    expect(session.runSync(doubled, { x: [1, 2] }).toArray()).toEqual([6, 12])
    const once = compiled()
    expect(session.runSync(doubled, { x: [3, 4] }).toArray()).toEqual([18, 24])
    expect(compiled()).toBe(once)
    expect(session.runSync(gradients(doubled, [x])[0]!, { x: [3, 4] }).toArray()).toEqual([10, 10])
  })
})
