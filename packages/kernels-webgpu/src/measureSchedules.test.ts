import { PlacementError, reference, ValueError } from '@shoal/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectAgreement, type } from './kernels/agreement.ts'
import { measureSchedules } from './measureSchedules.ts'
import type { Schedules } from './schedules.ts'
import { webgpu, type WebGpuDevice, type WebGpuOptions } from './webgpu.ts'

const sizes = { m: 20, k: 24, n: 20 }

describe.each<[string, WebGpuOptions]>([
  ["the GPU's clock", {}],
  ["the processor's clock", { features: [] }],
])('by %s', (_, options) => {
  let device: WebGpuDevice
  let measured: Schedules
  const progress: string[] = []
  beforeAll(async () => {
    device = await webgpu(options)
    measured = await measureSchedules(device, {
      products: [sizes],
      onProgress: (done, total) => progress.push(`${done} of ${total}`),
    })
  })
  afterAll(() => device[Symbol.asyncDispose]())

  it('one of the schedules that suit a product is measured to be fastest, and no memory is kept', () => {
    expect(Object.entries(measured.matmul!)).toEqual([
      [
        'f32 nn 1x32x32x32',
        expect.objectContaining({ form: expect.stringMatching(/direct|tiled/) as string }),
      ],
    ])
    expect(device.counts().heldBytes).toBe(0)
    expect(progress).toEqual(['0 of 1', '1 of 1'])
  })
  it('what was measured is plain data that a device on the same adapter takes', async () => {
    const told = JSON.parse(JSON.stringify(measured)) as Schedules
    expect(told).toEqual(measured)
    const next = await webgpu({ ...options, schedules: told })
    const signature = { inputs: [type([20, 24]), type([24, 20])], outputs: [type([20, 20])], attrs: {} }
    await expectAgreement(next, 'MatMul', signature, 1e-5)
    await next[Symbol.asyncDispose]()
  })
  it('schedules of another adapter are refused', async () => {
    const { adapter } = measured
    const other = { ...measured, adapter: { ...adapter, architecture: 'another' } }
    await expect(webgpu({ schedules: other })).rejects.toThrow(
      new RegExp(`its architecture is 'another', that of this one is '${adapter.architecture}'`),
    )
  })
  it('damaged schedules are refused', async () => {
    for (const matmul of [[], 3, { 'f32 nn 1x32x32x32': { form: 'tiled' } }])
      await expect(webgpu({ schedules: { ...measured, matmul } as unknown as Schedules })).rejects.toThrow(
        ValueError,
      )
    for (const schedules of [null, 'fast', {}])
      await expect(webgpu({ schedules: schedules as unknown as Schedules })).rejects.toThrow(
        /measureSchedules/,
      )
  })
})

describe('measuring', () => {
  it('refuses other devices, and options that it does not know', async () => {
    const refused = measureSchedules(reference() as unknown as WebGpuDevice)
    await expect(refused).rejects.toThrow(/takes a device that webgpu\(\) opened, got an object of class/)
    await using device = await webgpu()
    for (const options of [{ product: [] }, { products: [{ m: 0, k: 1, n: 1 }] }, { convolutions: [{}] }])
      await expect(measureSchedules(device, options as object)).rejects.toThrow(ValueError)
  })
  it('stops when it is told to', async () => {
    const device = await webgpu()
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(measureSchedules(device, { products: [sizes], signal })).rejects.toThrow('enough')
    await device[Symbol.asyncDispose]()
  })
  it('refuses types that the device has no kernel for', async () => {
    const device = await webgpu()
    const products = [{ ...sizes, dtype: 'float64' as const }]
    await expect(measureSchedules(device, { products })).rejects.toThrow(PlacementError)
    await device[Symbol.asyncDispose]()
  })
})
