// The autotuner: runs a handful of schedules for each kernel that it is asked for, and remembers the fastest.
import type { ConcreteType, DType, Signature } from '@shoal/core'
import { dtypes, PlacementError, sizeOf } from '@shoal/core'
import { Binder } from './binding.ts'
import { ownBuffer } from './buffer.ts'
import { ShaderError } from './errors.ts'
import { Health } from './health.ts'
import { kernelDefs } from './kernels/index.ts'
import type { KernelDef } from './kernels/kernelDef.ts'
import { plainOutput } from './output.ts'
import { PipelineCache } from './pipelines.ts'
import { identityOf, type ScheduleKind, type Schedules } from './schedules.ts'
import type { KernelCode, Target } from './stage.ts'
import { targetOf } from './target.ts'
import { fastestTime } from './timing.ts'
import type { WebGpuDevice } from './webgpu.ts'

/** The sizes of a product a [...batches, m, k] · b [...batches, k, n]. */
export interface ProductSizes {
  readonly m: number
  readonly k: number
  readonly n: number
  /** Default: none. */
  readonly batches?: readonly number[]
  /** Are the operands transposed in memory? Default false. */
  readonly transposeA?: boolean
  readonly transposeB?: boolean
  /** Default float32. */
  readonly dtype?: DType
}

/** What is measured. */
export interface MeasureOptions {
  /** Matrix products. Default: square ones of 256 to 2048, and the three products of a dense layer of 1024 at batches of 64. */
  readonly products?: readonly ProductSizes[]
  /** Ends the measuring between two runs. */
  readonly signal?: AbortSignal
}

const dense = { batch: 64, units: 1024 }
const defaultProducts: readonly ProductSizes[] = [
  ...[256, 512, 1024, 2048].map((size) => ({ m: size, k: size, n: size })),
  { m: dense.batch, k: dense.units, n: dense.units },
  { m: dense.batch, k: dense.units, n: dense.units, transposeB: true },
  { m: dense.units, k: dense.batch, n: dense.units, transposeA: true },
]

/**
 * Measures which schedules are fastest on the adapter of a device: some seconds of work for the default sizes. The device must be idle.
 * Give the answer to `webgpu({ schedules })`. It is plain data: to keep it for the next time, write it as JSON to a file or into the
 * browser's storage; it is good for the same adapter and driver.
 * @throws PlacementError where the device has no such kernel, and what the signal was aborted with
 */
export async function measureSchedules(
  device: WebGpuDevice,
  options: MeasureOptions = {},
): Promise<Schedules> {
  const { products = defaultProducts, signal } = options
  const adapter = identityOf(device.adapterInfo)
  const health = new Health(device.gpu)
  const binder = new Binder(device.gpu, new PipelineCache(device.gpu, health))
  const target = targetOf(device.gpu, device.features)
  const measured: Partial<Record<ScheduleKind, Record<string, object>>> = {}
  try {
    for (const sizes of products) {
      const signature = productSignature(sizes)
      const def = tunable(device, 'MatMul', signature)
      const { kind } = def.tuning
      const { name, schedules } = def.tuning.candidates(signature, target)
      let [fastest, time] = [schedules[0]!, Infinity]
      for (const schedule of schedules) {
        signal?.throwIfAborted()
        const only = { adapter, [kind]: { [name]: schedule } } as Schedules
        const code = compile(def, signature, { ...target, schedules: only })
        const needed = await timeOf(device, binder, signature, code)
        if (needed < time) [fastest, time] = [schedule, needed]
      }
      ;(measured[kind] ??= {})[name] = fastest
    }
  } finally {
    health.close()
  }
  return { adapter, ...measured } as Schedules
}

type Tunable = KernelDef & Required<Pick<KernelDef, 'tuning'>>

/** The kernel of an op that has schedules. */
function tunable(device: WebGpuDevice, op: string, signature: Signature): Tunable {
  const def = device.supports(op, signature) ? kernelDefs.find((known) => known.op === op) : undefined
  if (!def?.tuning)
    throw new PlacementError(`the webgpu device has no schedules to measure for ${op} of these types`)
  return def as Tunable
}

function compile(def: KernelDef, signature: Signature, target: Target): KernelCode {
  const inputs = signature.inputs.length
  const output = plainOutput(signature.outputs[0]!, inputs)
  return def.compile(signature, target, { output, firstOutput: inputs, workspace: inputs + 1 })
}

/** Nanoseconds of a kernel; without end if the driver does not take its shaders. */
async function timeOf(
  device: WebGpuDevice,
  binder: Binder,
  signature: Signature,
  code: KernelCode,
): Promise<number> {
  const bytes = [...signature.inputs, ...signature.outputs].map(bytesOf)
  const scratch = code.workspaceBytes > 0 ? [code.workspaceBytes] : []
  const buffers = [...bytes, ...scratch].map((size) => device.alloc(size))
  try {
    const args = buffers.map(ownBuffer)
    const dispatches = await Promise.all(code.stages.map((stage) => binder.later(stage, 'measured', args)))
    return await fastestTime(device.gpu, dispatches)
  } catch (error) {
    if (error instanceof ShaderError) return Infinity
    throw error
  } finally {
    buffers.forEach((buffer) => device.free(buffer))
  }
}

const bytesOf = ({ dtype, shape }: ConcreteType): number => dtypes[dtype].bytes * sizeOf(shape)

function productSignature({
  m,
  k,
  n,
  batches = [],
  transposeA = false,
  transposeB = false,
  dtype = 'float32',
}: ProductSizes): Signature {
  const of = (rows: number, columns: number): ConcreteType => ({ dtype, shape: [...batches, rows, columns] })
  return {
    inputs: [transposeA ? of(k, m) : of(m, k), transposeB ? of(n, k) : of(k, n)],
    outputs: [of(m, n)],
    attrs: { transposeA, transposeB },
  }
}
