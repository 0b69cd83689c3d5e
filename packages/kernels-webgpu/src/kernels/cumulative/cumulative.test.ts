import type { DType } from '@shoal/core'
import { afterAll, describe, expect, it } from 'vitest'
import { webgpu } from '../../webgpu.ts'
import { expectAgreement, type } from '../agreement.ts'
import { cumulative } from './index.ts'

const device = await webgpu()
afterAll(() => device[Symbol.asyncDispose]())

type Combination = 'sum' | 'prod' | 'max' | 'min' | 'logSumExp'
interface Options {
  readonly exclusive?: boolean
  readonly reverse?: boolean
  readonly dtype?: DType
  readonly given?: Float32Array
}
const expectRunning = (
  shape: readonly number[],
  axis: number,
  combine: Combination,
  { exclusive = false, reverse = false, dtype = 'float32', given }: Options = {},
) =>
  expectAgreement(
    device,
    'Cumulative',
    {
      inputs: [type(shape, dtype)],
      outputs: [type(shape, dtype)],
      attrs: { axis, combine, exclusive, reverse },
    },
    dtype === 'float16' ? 0.02 : dtype === 'float32' ? 1e-4 : 0,
    given && [given],
  )

describe('Cumulative', () => {
  it('runs along every axis, both ways, with the element itself or without', async () => {
    for (const exclusive of [false, true])
      for (const reverse of [false, true]) {
        await expectRunning([3, 7, 5], 1, 'sum', { exclusive, reverse })
        await expectRunning([2, 300], -1, 'sum', { exclusive, reverse })
      }
    await expectRunning([1], 0, 'sum')
    await expectRunning([70, 2], 1, 'max')
  })

  it('joins in every way, of one lane and of many', async () => {
    for (const combine of ['prod', 'max', 'min', 'logSumExp'] as const) {
      await expectRunning([9, 40], 0, combine)
      await expectRunning([2, 200], 1, combine, { exclusive: true })
    }
  })

  it('runs through integers, which wrap, and through narrow floats', async () => {
    for (const dtype of ['int8', 'uint8', 'int16', 'int32', 'uint32'] as const) {
      await expectRunning([6, 33], 1, 'prod', { dtype })
      await expectRunning([130], 0, 'sum', { dtype })
    }
    await expectRunning([5, 6], 1, 'sum', { dtype: 'float16' })
  })

  it('goes through several tiles, in several workgroups', async () => {
    await expectRunning([2, 2500], 1, 'sum')
    await expectRunning([4100, 3], 0, 'sum', { exclusive: true, reverse: true })
    await expectRunning([257, 2500], 1, 'max')
  })

  it('shares out long columns', async () => {
    await expectRunning([200, 33], 0, 'sum')
    await expectRunning([2, 100, 40], 1, 'logSumExp', { exclusive: true, reverse: true })
  })

  it('shares no line out where an epilogue has all bindings but one', () => {
    const uses = Array.from({ length: 7 }, (_, i) => ({
      arg: 1 + i,
      dtype: 'float32' as const,
      length: 9,
      access: 'read' as const,
    }))
    const target = { lanes: 256, workgroupBytes: 16384, maxBuffers: 8, features: new Set<string>() }
    for (const shape of [
      [1, 9000],
      [9000, 40],
    ]) {
      const signature = {
        inputs: [type(shape)],
        outputs: [type(shape)],
        attrs: { axis: shape.indexOf(9000), combine: 'sum' },
      }
      const stages = (count: number): number =>
        cumulative.compile(signature, target as never, {
          output: { uses: uses.slice(0, count), store: () => undefined },
          firstOutput: 1,
          workspace: 2,
        }).stages.length
      expect([stages(6), stages(7)]).toEqual([2, 1])
    }
  })

  it('carries infinities and NaN on', async () => {
    const given = Float32Array.of(-Infinity, 1, Infinity, -2, NaN, 3, -Infinity)
    for (const combine of ['sum', 'max', 'min', 'logSumExp'] as const)
      await expectRunning([7], 0, combine, { given })
  })
})
