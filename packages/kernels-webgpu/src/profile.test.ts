import { describe, expect, it } from 'vitest'
import { Profile } from './profile.ts'
import { usage } from './usage.ts'
import { webgpu } from './webgpu.ts'

/** A shader that takes longer than the step of a clock. */
const busy = `
@group(0) @binding(0) var<storage, read_write> sums: array<u32>;
@compute @workgroup_size(64) fn main(@builtin(local_invocation_index) lane: u32) {
  for (var i = 0u; i < 10000u; i++) { sums[lane] += i ^ sums[lane]; }
}`

describe('a profile', () => {
  it('times as many dispatches as there are, in as many batches', async () => {
    await using device = await webgpu()
    const { gpu } = device
    const module = gpu.createShaderModule({ code: busy })
    const pipeline = gpu.createComputePipeline({ layout: 'auto', compute: { module } })
    const buffer = gpu.createBuffer({ size: 256, usage: usage.storage })
    const entries = [{ binding: 0, resource: { buffer } }]
    const group = gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries })
    const profile = new Profile(gpu, 2)
    const names = ['a', 'b', 'c', 'd', 'e']
    for (const batch of [names.slice(0, 1), names.slice(1, 4), names.slice(4)]) {
      const encoder = gpu.createCommandEncoder()
      for (const name of batch) {
        const pass = encoder.beginComputePass({ timestampWrites: profile.next(name) })
        pass.setPipeline(pipeline)
        pass.setBindGroup(0, group)
        pass.dispatchWorkgroups(1)
        pass.end()
      }
      profile.resolve(encoder)
      gpu.queue.submit([encoder.finish()])
    }
    const times = await profile.times()
    profile.destroy()
    expect(times.map(({ kernel }) => kernel)).toEqual(names)
    // What was left out would read 0.
    for (const { nanoseconds } of times) expect(nanoseconds).toBeGreaterThan(0)
  })

  it('of nothing is empty', async () => {
    await using device = await webgpu()
    expect(await device.profile(async () => undefined)).toEqual([])
  })
})
