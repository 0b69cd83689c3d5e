import type { Device, Expr, FusedKernel } from '@shoal/core'
import { E, mapExpr, mapKernel, reference } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { Random } from '../random.ts'
import { checkRandomGraph } from './checkGraph.ts'
import { randomGraph } from './randomGraph.ts'

/** How many of 20 random graphs a device computes wrongly. */
async function wrong(makeDevice: () => Device): Promise<number> {
  let count = 0
  for (let seed = 0; seed < 20; seed++) await checkRandomGraph([makeDevice()], seed).catch(() => count++)
  return count
}

/** A reference device with a fault in its fused kernels. */
function misfusing(change: (kernel: FusedKernel) => FusedKernel): Device {
  const device = reference()
  const { fuse } = device
  device.fuse = (kernel) => fuse.call(device, change(kernel))
  return device
}

const inEach = (change: (e: Expr) => Expr) => (kernel: FusedKernel) =>
  mapKernel(
    kernel,
    (e) => mapExpr(e, change),
    (index) => index,
  )

describe('random graphs', () => {
  it('are the same for the same seed', () => {
    const draw = () => {
      const { fetches } = randomGraph(new Random('a'))
      return fetches.map((t) => `${t.node.op.name} ${t.name} [${t.shape.join()}]`)
    }
    expect(draw()).toEqual(draw())
  })
  it.each([0, 25, 50, 75])('from %i on are the same with fusion as without', async (first) => {
    for (let seed = first; seed < first + 25; seed++) await checkRandomGraph([reference()], seed)
  })
  it('show what is not copied', async () => {
    const forgetful = () => {
      const device = reference()
      device.copy = () => ({ launch: () => undefined, workspaceBytes: 0 })
      return device
    }
    expect(await wrong(forgetful)).toBeGreaterThan(10)
  })
  it('show a tanh that is off by 2^-8', async () => {
    const blurred = inEach((e) => (e.op === 'tanh' ? E.mul(e, E.num(1 + 2 ** -8, e.dtype)) : e))
    expect(await wrong(() => misfusing(blurred))).toBeGreaterThan(10)
  })
})
