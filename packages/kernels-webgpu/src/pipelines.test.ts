import { expect, it } from 'vitest'
import { Health } from './health.ts'
import { PipelineCache, type PipelineSource } from './pipelines.ts'
import { webgpu } from './webgpu.ts'

const source = (value: number): PipelineSource => ({
  text: `@group(0) @binding(0) var<storage, read_write> buffer0: array<i32, 1>;
@compute @workgroup_size(1) fn main() { buffer0[0] = ${value}; }`,
  writes: [true],
  name: `value ${value}`,
})

it('keeps the pipelines that were asked for last, and no more than it may', async () => {
  await using device = await webgpu()
  const health = new Health(device.gpu)
  const cache = new PipelineCache(device.gpu, health, 2)
  const [first, second] = [await cache.later(source(1)), cache.now(source(2))]
  expect(await cache.later(source(1))).toBe(first)
  await cache.later(source(3))
  expect(cache.now(source(1))).toBe(first)
  expect(cache.counts.pipelines).toBe(3)
  expect(cache.now(source(2))).not.toBe(second)
  expect(cache.counts.pipelines).toBe(4)
  health.close()
})
