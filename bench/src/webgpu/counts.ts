// What a work asks of a GPU whatever the clock says: counted by the device while one run goes through it that is not the first.
import { webgpu } from '@shoal/kernels-webgpu'
import { openWork } from '../contenders/shoal.ts'
import type { Work } from '../work.ts'
import { gatedSum, matmul, modelNames, multiplyAdd, ofRows, sums, trainingStep } from '../work.ts'

/** The costs of one run on the webgpu device. */
export interface GpuCounts {
  readonly submits: number
  readonly dispatches: number
  /** Bytes that come from the host. */
  readonly uploadedBytes: number
  /** Bytes that the host waits for. */
  readonly readBytes: number
  /** Shaders that were compiled until then, initial values included, and the characters of their texts. */
  readonly pipelines: number
  readonly characters: number
  /** Bytes of the buffers in use: variables, slots, constants, what kernels need besides. */
  readonly heldBytes: number
}
/** Counts by the names of works. */
export type GpuBook = { readonly [name: string]: GpuCounts }

/** Small works: what is counted does not grow with them, and adapters in software are slow. */
const counted: readonly Work[] = [
  matmul(64),
  multiplyAdd(1e4),
  gatedSum(1e4),
  ofRows('softmax', 64, 100),
  ofRows('layerNorm', 64, 100),
  ...sums(64, 100),
  ...modelNames.map((model) => trainingStep(model, 2)),
]

/** Counts all works on the adapter that there is. */
export async function countGpu(): Promise<GpuBook> {
  const found: { [name: string]: GpuCounts } = {}
  for (const work of counted) found[work.name] = await countsOf(work)
  return found
}

/** A run that takes a busy machine more than 50 ms gives timers a turn, which sends off what is there: of some runs the one in the fewest submissions tells. */
const tries = 5

async function countsOf(work: Work): Promise<GpuCounts> {
  const device = await webgpu()
  const { session, run, feeds } = await openWork(work, device)
  await using _ = session
  const once = async (): Promise<GpuCounts> => {
    const before = device.counts()
    await session.run(run, feeds)
    await device.gpu.queue.onSubmittedWorkDone()
    const after = device.counts()
    return {
      submits: after.submits - before.submits,
      dispatches: after.dispatches - before.dispatches,
      uploadedBytes: after.uploadedBytes - before.uploadedBytes,
      readBytes: after.readBytes - before.readBytes,
      pipelines: after.pipelines,
      characters: after.characters,
      heldBytes: after.heldBytes,
    }
  }
  // The first run compiles.
  await once()
  let least = await once()
  for (let i = 1; i < tries && least.submits > 1; i++) {
    const next = await once()
    if (next.submits < least.submits) least = next
  }
  return least
}
