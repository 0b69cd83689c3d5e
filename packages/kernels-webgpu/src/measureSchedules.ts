// The autotuner: runs a handful of schedules for each kernel that it is asked for, and remembers the fastest.
import type { ConcreteType, DType, OptionRules, Signature } from '@shoal/core'
import {
  boundInputs,
  checkOptions,
  dtypes,
  optionRules,
  PlacementError,
  sayValue,
  sizeOf,
  ValueError,
  windowArgs,
  type WindowOptions,
  windowOf,
} from '@shoal/core'
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

/** The shapes of a convolution: x [batch, ...spatial, in] and a filter [...spatial, in / groups, out]. */
export interface ConvolutionSizes extends Pick<WindowOptions, 'strides' | 'dilations' | 'padding'> {
  readonly x: readonly number[]
  readonly filter: readonly number[]
  /** Default 1. */
  readonly groups?: number
  /** Default float32. */
  readonly dtype?: DType
}

/** What is measured. */
export interface MeasureOptions {
  /** Matrix products. Default where no convolutions are given: square ones of 256 to 2048, and the three products of a dense layer of 1024 at batches of 64. */
  readonly products?: readonly ProductSizes[]
  /** Convolutions, each with its two gradients; only those that run as products have schedules. Default where no products are given: three of an image network. */
  readonly convolutions?: readonly ConvolutionSizes[]
  /** Ends the measuring between two runs. */
  readonly signal?: AbortSignal
  /** Told how many kernels have been measured, of how many: first 0, in the end all. Default: nobody is told. */
  readonly onProgress?: (done: number, total: number) => void
}

const isSize = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 1
const hasSizes = (value: unknown, ...names: readonly string[]): boolean =>
  typeof value === 'object' &&
  value !== null &&
  names.every((name) => [Reflect.get(value, name)].flat().every(isSize))

const measureRules: OptionRules<MeasureOptions> = {
  products: optionRules.list('a list of sizes { m, k, n }', (sizes) => hasSizes(sizes, 'm', 'k', 'n')),
  convolutions: optionRules.list('a list of shapes { x: […], filter: […] }', (shapes) =>
    hasSizes(shapes, 'x', 'filter'),
  ),
  signal: {
    wanted: 'an AbortSignal',
    accepts: (value) => typeof value === 'object' && value !== null && 'aborted' in value,
  },
  onProgress: optionRules.function,
}

const dense = { batch: 64, units: 1024 }
const defaultProducts: readonly ProductSizes[] = [
  ...[256, 512, 1024, 2048].map((size) => ({ m: size, k: size, n: size })),
  { m: dense.batch, k: dense.units, n: dense.units },
  { m: dense.batch, k: dense.units, n: dense.units, transposeB: true },
  { m: dense.units, k: dense.batch, n: dense.units, transposeA: true },
]

const defaultConvolutions: readonly ConvolutionSizes[] = [
  { x: [16, 56, 56, 64], filter: [3, 3, 64, 64], padding: 'SAME' },
  { x: [16, 28, 28, 128], filter: [3, 3, 128, 128], padding: 'SAME' },
  { x: [16, 28, 28, 128], filter: [1, 1, 128, 256], padding: 'SAME' },
]

/**
 * Measures which schedules are fastest on the adapter of a device: some seconds of work for the default sizes. The device must be idle.
 * Give the answer to `webgpu({ schedules })`. It is plain data: to keep it for the next time, write it as JSON to a file or into the
 * browser's storage; it is good for the same adapter and driver.
 * @throws ValueError for another kind of device and for options that there are not or out of range, PlacementError where the device has no
 * such kernel, and what the signal was aborted with
 */
export async function measureSchedules(
  device: WebGpuDevice,
  options: MeasureOptions = {},
): Promise<Schedules> {
  if (!isWebGpuDevice(device))
    throw new ValueError(`measureSchedules takes a device that webgpu() opened, got ${sayValue(device)}`)
  checkOptions('measureSchedules', options, measureRules)
  const { signal, onProgress } = options
  const products = options.products ?? (options.convolutions ? [] : defaultProducts)
  const convolutions = options.convolutions ?? (options.products ? [] : defaultConvolutions)
  const wanted: readonly (readonly [op: string, signature: Signature])[] = [
    ...products.map((sizes) => ['MatMul', productSignature(sizes)] as const),
    ...convolutions.flatMap(convolutionSignatures),
  ]
  const adapter = identityOf(device.adapterInfo)
  const health = new Health(device.gpu)
  const binder = new Binder(device.gpu, new PipelineCache(device.gpu, health))
  const target = targetOf(device.gpu, device.features)
  const measured: Partial<Record<ScheduleKind, Record<string, object>>> = {}
  try {
    for (const [i, [op, signature]] of wanted.entries()) {
      onProgress?.(i, wanted.length)
      const def = tunable(device, op, signature)
      const { kind } = def.tuning
      const { name, schedules } = def.tuning.candidates(signature, target)
      let [fastest, time] = [schedules[0], Infinity]
      for (const schedule of schedules) {
        signal?.throwIfAborted()
        const only = { adapter, [kind]: { [name]: schedule } } as Schedules
        const code = compile(def, signature, { ...target, schedules: only })
        const needed = await timeOf(device, binder, signature, code)
        if (needed < time) [fastest, time] = [schedule, needed]
      }
      // A kernel may have one way only for such sizes.
      if (fastest) (measured[kind] ??= {})[name] = fastest
    }
    onProgress?.(wanted.length, wanted.length)
  } finally {
    health.close()
  }
  return { adapter, ...measured } as Schedules
}

const isWebGpuDevice = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'gpu' in value && 'adapterInfo' in value

type Tunable = KernelDef & Required<Pick<KernelDef, 'tuning'>>

/** The kernel of an op that has schedules. */
function tunable(device: WebGpuDevice, op: string, signature: Signature): Tunable {
  const def = device.supports(op, signature) ? kernelDefs.find((known) => known.op === op) : undefined
  if (!def?.tuning)
    throw new PlacementError(`the webgpu device has no schedules to measure for ${op} of these types`)
  return def as Tunable
}

function compile(def: KernelDef, signature: Signature, target: Target): KernelCode {
  const inputs = boundInputs(signature).length
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
  const bytes = [...boundInputs(signature), ...signature.outputs].map(bytesOf)
  const scratch = code.workspaceBytes > 0 ? [code.workspaceBytes] : []
  const buffers = [...bytes, ...scratch].map((size) => device.alloc(size))
  // Memory that was never written may be quicker to read; these bytes are numbers of every dtype.
  bytes.forEach((size, i) => device.write(buffers[i]!, new Uint8Array(size).fill(0x3f)))
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

/** A convolution and its gradients. */
function convolutionSignatures({
  x: image,
  filter: weights,
  groups = 1,
  dtype = 'float32',
  ...options
}: ConvolutionSizes): readonly (readonly [op: string, signature: Signature])[] {
  const spatial = image.slice(1, -1)
  const { name: _, ...window } = windowArgs(options, spatial.length)
  const attrs = { ...window, groups }
  const { output } = windowOf(spatial, weights.slice(0, -2), { explicitPadding: undefined, ...attrs })
  const [x, filter, y] = [image, weights, [image[0]!, ...output, weights.at(-1)!]].map(
    (shape): ConcreteType => ({ dtype, shape }),
  ) as [ConcreteType, ConcreteType, ConcreteType]
  return [
    ['Conv', { inputs: [x, filter], outputs: [y], attrs }],
    ['ConvBackpropInput', { inputs: [x, filter, y], outputs: [x], attrs, shapeOnly: new Set([0]) }],
    ['ConvBackpropFilter', { inputs: [x, filter, y], outputs: [filter], attrs, shapeOnly: new Set([1]) }],
  ]
}
