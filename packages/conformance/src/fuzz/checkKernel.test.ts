import type { Device, Expr, FusedKernel } from '@shoal/core'
import { dtypes, E, fixedSize, mapExpr, mapKernel, reference } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { Random } from '../random.ts'
import { checkRandomKernel } from './checkKernel.ts'
import { randomKernel } from './randomKernel.ts'

/** The reference device with a fault in its fused kernels. */
function faulty(change: (e: Expr) => Expr): Device {
  const device = reference()
  return new Proxy(device, {
    get(target, key) {
      if (key === 'fuse')
        return (kernel: FusedKernel) =>
          device.fuse(
            mapKernel(
              kernel,
              (e) => mapExpr(e, change),
              (index) => index,
            ),
          )
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** How many of the 300 random kernels show the fault. */
async function found(change: (e: Expr) => Expr): Promise<number> {
  const device = faulty(change)
  let count = 0
  for (let seed = 0; seed < 300; seed++) await checkRandomKernel(device, seed, fixedSize).catch(() => count++)
  return count
}

describe('random kernels', () => {
  it('are the same for the same seed', () => {
    const draw = () => randomKernel(new Random('a'), fixedSize, 4)
    expect(draw()).toEqual(draw())
  })
  it('agree with a device without fault', async () => {
    expect(await found((e) => e)).toBe(0)
  })
  it('show a wrong element in a read', async () => {
    expect(await found((e) => (e.op === 'load' ? { ...e, index: E.num(0, 'int32') } : e))).toBeGreaterThan(
      100,
    )
  })
  it('show a tanh that is off by 2^-10', async () => {
    const blurred = (e: Expr): Expr => (e.op === 'tanh' ? E.mul(e, E.num(1 + 2 ** -10, e.dtype)) : e)
    expect(await found(blurred)).toBeGreaterThan(0)
  })
  it('show division that rounds down instead of truncating', async () => {
    const floored = (e: Expr): Expr =>
      e.op === 'div' && dtypes[e.dtype].kind === 'int'
        ? E.sub(e, E.cast(E.lt(E.rem(e.a, e.b), E.num(0, e.dtype)), e.dtype))
        : e
    expect(await found(floored)).toBeGreaterThan(0)
  })
})
