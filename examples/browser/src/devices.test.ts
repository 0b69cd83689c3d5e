import { PlacementError } from '@shoal/core'
import type { webgpu, WebGpuDevice } from '@shoal/kernels-webgpu'
import { describe, expect, it } from 'vitest'
import { chooseDevices, type Surroundings } from './devices.ts'

const noGpu: typeof webgpu = async () => {
  throw new PlacementError('this browser has no WebGPU')
}
const surroundings: Surroundings = {
  isolated: true,
  processors: 8,
  threads: new URL('file:///threads.js'),
  openGpu: noGpu,
}
const wanted = { device: 'webgpu', threads: 4 } as const

/** A GPU of which nothing but its name is looked at. */
const gpuNamed =
  (info: Partial<GPUAdapterInfo>): typeof webgpu =>
  async () =>
    ({ adapterInfo: info }) as WebGpuDevice

describe('chooseDevices', () => {
  it('prefers the GPU, and leaves to the CPU what it cannot do', async () => {
    const openGpu = gpuNamed({ vendor: 'acme', architecture: 'turbo', description: '' })
    const { devices, kind, description } = await chooseDevices(wanted, { ...surroundings, openGpu })
    expect([devices.length, devices[1]!.type, kind]).toEqual([2, 'cpu', 'webgpu'])
    expect(description).toBe('Runs on WebGPU: acme turbo.')
  })

  it('says when the GPU is software, and when it has no name', async () => {
    const of = async (info: Partial<GPUAdapterInfo>) =>
      (await chooseDevices(wanted, { ...surroundings, openGpu: gpuNamed(info) })).description
    expect(await of({ description: 'Swift', isFallbackAdapter: true })).toContain('Swift, which is software')
    expect(await of({ vendor: '', architecture: '', description: '' })).toContain('without a name')
  })

  it('falls back to the CPU and says why', async () => {
    const { devices, kind, description } = await chooseDevices(wanted, surroundings)
    expect([devices.map(({ type }) => type), kind]).toEqual([['cpu'], 'cpu'])
    expect(description).toBe('Runs on the CPU with 4 threads: this browser has no WebGPU.')
  })

  it('asks for no GPU where the CPU is wanted', async () => {
    const openGpu = gpuNamed({ description: 'acme' })
    const { description } = await chooseDevices({ ...wanted, device: 'cpu' }, { ...surroundings, openGpu })
    expect(description).toMatch(/^Runs on the CPU with 4 threads: it was asked to\.$/)
  })

  it('has as many threads as there are processors, and one where memory cannot be shared', async () => {
    const of = async (change: Partial<Surroundings>) =>
      (await chooseDevices(wanted, { ...surroundings, ...change })).description
    expect(await of({ processors: 2 })).toContain('with 2 threads:')
    expect(await of({ processors: 1 })).toContain('with one thread:')
    expect(await of({ isolated: false })).toContain(
      'with one thread, since this page is not cross-origin isolated:',
    )
  })
})
