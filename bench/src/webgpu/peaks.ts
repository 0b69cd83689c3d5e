// What the GPU can do at this very moment, as contenders: a work takes at the peak as long as its arithmetic, or its bytes, would.
import { webgpu } from '@shoal/kernels-webgpu'
import type { Contender, Side } from '../contender.ts'
import { boundBy } from '../work.ts'

/** How much the probes do: enough to hide what a submission costs, or a little to try them. */
export interface ProbeSize {
  /** Bytes of each of the two buffers that are copied. */
  readonly copiedBytes: number
  readonly groups: number
  /** Turns of the loop in each lane. */
  readonly turns: number
  /** A sample takes at least so long, in ms. */
  readonly leastMs: number
}

/** For GPUs: buffers that no cache holds, and a loop of 69 GFLOP. */
export const gpuProbes: ProbeSize = { copiedBytes: 2 ** 28, groups: 4096, turns: 2048, leastMs: 20 }
/** For trying the harness. */
export const smallProbes: ProbeSize = { copiedBytes: 2 ** 18, groups: 4, turns: 32, leastMs: 1 }

const lanes = 256
/** Independent chains of four each: enough to hide the latency of a multiply-add, few enough for the registers. */
const chains = 4

/** acc ← acc · x + y in registers only; what goes in comes from memory and what comes out goes there, so that no compiler computes it. */
const arithmetic = (turns: number): string => {
  const each = (line: (name: string) => string): string =>
    Array.from({ length: chains }, (_, i) => line(`a${i}`)).join('\n')
  return `
@group(0) @binding(0) var<storage, read_write> values: array<vec4f>;
@compute @workgroup_size(${lanes})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let x = values[0];
  let y = values[1];
  ${each((name) => `var ${name} = vec4f(f32(id.x)) + ${Number(name.slice(1))}.0;`)}
  for (var i = 0u; i < ${turns}u; i++) {
    ${each((name) => `${name} = fma(${name}, x, y);`)}
  }
  values[2u + id.x] = ${Array.from({ length: chains }, (_, i) => `a${i}`).join(' + ')};
}`
}

/** What a probe does in one round, and how much that is. */
interface Probe {
  readonly amount: number
  record(encoder: GPUCommandEncoder): void
}

const storage = 0x80
const copySource = 0x04
const copyTarget = 0x08

function arithmeticProbe(gpu: GPUDevice, { groups, turns }: ProbeSize): Probe {
  const values = gpu.createBuffer({ size: 16 * (2 + groups * lanes), usage: storage | copyTarget })
  gpu.queue.writeBuffer(values, 0, Float32Array.of(0.999, 0.998, 0.997, 0.996, 1, 2, 3, 4))
  const module = gpu.createShaderModule({ code: arithmetic(turns) })
  const pipeline = gpu.createComputePipeline({ layout: 'auto', compute: { module } })
  const group = gpu.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer: values } }],
  })
  return {
    amount: 2 * 4 * chains * turns * groups * lanes,
    record(encoder) {
      const pass = encoder.beginComputePass()
      pass.setPipeline(pipeline)
      pass.setBindGroup(0, group)
      pass.dispatchWorkgroups(groups)
      pass.end()
    },
  }
}

function copyProbe(gpu: GPUDevice, { copiedBytes }: ProbeSize): Probe {
  const size = Math.min(copiedBytes, gpu.limits.maxBufferSize)
  const [from, to] = [copySource, copyTarget].map((usage) =>
    gpu.createBuffer({ size, usage: usage | storage }),
  )
  return {
    // Each byte is read and written.
    amount: 2 * size,
    record: (encoder) => encoder.copyBufferToBuffer(from!, 0, to!, 0, size),
  }
}

/** Milliseconds for each unit of what the probe does. */
async function measured(gpu: GPUDevice, probe: Probe, leastMs: number): Promise<number> {
  for (let rounds = 1; ; rounds *= 2) {
    const encoder = gpu.createCommandEncoder()
    for (let i = 0; i < rounds; i++) probe.record(encoder)
    const commands = encoder.finish()
    await gpu.queue.onSubmittedWorkDone()
    const start = performance.now()
    gpu.queue.submit([commands])
    await gpu.queue.onSubmittedWorkDone()
    const ms = performance.now() - start
    if (ms >= leastMs) return ms / (rounds * probe.amount)
  }
}

/** A contender that takes as long as a probe would for as much as the work has. */
const peak = (
  name: string,
  version: string,
  probeOf: (gpu: GPUDevice) => Probe,
  bound: 'arithmetic' | 'memory',
  leastMs: number,
): Contender => ({
  name,
  version,
  async prepare(work): Promise<Side | undefined> {
    if (boundBy(work) !== bound) return undefined
    const device = await webgpu()
    const probe = probeOf(device.gpu)
    const amount = bound === 'arithmetic' ? work.flops : work.bytes
    return {
      sample: async () => (await measured(device.gpu, probe, leastMs)) * amount,
      result: async () => new Float32Array(),
      close: () => device[Symbol.asyncDispose](),
    }
  },
})

/** Both peaks of the adapter that there is. */
export const gpuPeaks = (version: string, size: ProbeSize): Contender[] => [
  peak('fma peak', version, (gpu) => arithmeticProbe(gpu, size), 'arithmetic', size.leastMs),
  peak('copy', version, (gpu) => copyProbe(gpu, size), 'memory', size.leastMs),
]
