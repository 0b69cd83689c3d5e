// How long dispatches take on the GPU: by its own clock where it lends that, else by the time until it says that they are done.
import type { Dispatch } from './commands.ts'
import { mapMode, usage } from './usage.ts'

/** A sample takes so long at least, as clocks are coarse. */
const sampleNanoseconds = 4e6
const samples = 3
const mostRounds = 256

/** Nanoseconds that the dispatches take, one after the other, in the fastest of a few samples. */
export async function fastestTime(gpu: GPUDevice, dispatches: readonly Dispatch[]): Promise<number> {
  const run = gpu.features.has('timestamp-query') ? timeByTimestamps : timeByClock
  // The first run of a shader may pay for what the driver has put off.
  await run(gpu, dispatches, 1)
  const once = await run(gpu, dispatches, 1)
  const rounds = Math.max(1, Math.min(mostRounds, Math.ceil(sampleNanoseconds / Math.max(once, 1))))
  let fastest = Infinity
  for (let i = 0; i < samples; i++) fastest = Math.min(fastest, await run(gpu, dispatches, rounds))
  return fastest / rounds
}

async function timeByTimestamps(
  gpu: GPUDevice,
  dispatches: readonly Dispatch[],
  rounds: number,
): Promise<number> {
  const querySet = gpu.createQuerySet({ type: 'timestamp', count: 2 })
  const resolved = gpu.createBuffer({ size: 16, usage: usage.queryResolve | usage.copySource })
  const target = gpu.createBuffer({ size: 16, usage: usage.mapRead | usage.copyTarget })
  try {
    const encoder = gpu.createCommandEncoder()
    const timestampWrites = { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 }
    record(encoder.beginComputePass({ timestampWrites }), dispatches, rounds)
    encoder.resolveQuerySet(querySet, 0, 2, resolved, 0)
    encoder.copyBufferToBuffer(resolved, 0, target, 0, 16)
    gpu.queue.submit([encoder.finish()])
    await target.mapAsync(mapMode.read)
    const [begin, end] = new BigUint64Array(target.getMappedRange())
    return Number(end! - begin!)
  } finally {
    querySet.destroy()
    resolved.destroy()
    target.destroy()
  }
}

async function timeByClock(gpu: GPUDevice, dispatches: readonly Dispatch[], rounds: number): Promise<number> {
  const encoder = gpu.createCommandEncoder()
  record(encoder.beginComputePass(), dispatches, rounds)
  const commands = encoder.finish()
  await gpu.queue.onSubmittedWorkDone()
  const begin = performance.now()
  gpu.queue.submit([commands])
  await gpu.queue.onSubmittedWorkDone()
  return (performance.now() - begin) * 1e6
}

function record(pass: GPUComputePassEncoder, dispatches: readonly Dispatch[], rounds: number): void {
  for (let i = 0; i < rounds; i++)
    for (const { pipeline, group, width, height } of dispatches) {
      pass.setPipeline(pipeline.gpu)
      pass.setBindGroup(0, group)
      pass.dispatchWorkgroups(width, height)
    }
  pass.end()
}
