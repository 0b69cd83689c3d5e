// The webgpu device: kernels are written as WGSL when a Program asks for them, and a Program's launches go to the GPU as one submission.
import type {
  BoundLaunch,
  Buffer,
  Device,
  DeviceCaps,
  FusedKernel,
  Kernel,
  OptionRules,
  Signature,
} from '@shoal/core'
import {
  boundInputs,
  checkOptions,
  ClosedError,
  InternalError,
  optionRules,
  PlacementError,
  ValueError,
} from '@shoal/core'
import { type AdapterOptions, adapterRules, type FoundAdapter, findAdapter } from './adapter.ts'
import { Binder } from './binding.ts'
import { BufferPool, largestBuffer, ownBuffer } from './buffer.ts'
import { type CommandCounts, Commands } from './commands.ts'
import { Copier } from './copy.ts'
import { Health } from './health.ts'
import { kernelDefs } from './kernels/index.ts'
import type { KernelDef } from './kernels/kernelDef.ts'
import { bindAll, type Launcher, stagedKernel } from './launch.ts'
import { lower } from './lower/lower.ts'
import { outputThrough, plainOutput } from './output.ts'
import { PipelineCache } from './pipelines.ts'
import { type KernelTime, Profile } from './profile.ts'
import { demandSchedules, type Schedules } from './schedules.ts'
import type { Target } from './stage.ts'
import { targetOf } from './target.ts'
import { wgslDtypes } from './wgsl/representation.ts'

/** Features of WebGPU that kernels use where the adapter has them. */
export type OptionalFeature = 'shader-f16' | 'subgroups' | 'timestamp-query'
const optionalFeatures: readonly OptionalFeature[] = ['shader-f16', 'subgroups', 'timestamp-query']

/** How a webgpu device is opened. */
export interface WebGpuOptions extends AdapterOptions {
  /** Features that may be used where the adapter has them; none is ever needed. Default: all. */
  readonly features?: readonly OptionalFeature[]
  /** Bytes that all buffers together may take. Default: no limit but the GPU's. */
  readonly maxBytes?: number
  /** What `measureSchedules` found on this adapter. Default: kernels choose by sizes and limits alone. */
  readonly schedules?: Schedules
}

const webGpuRules: OptionRules<WebGpuOptions> = {
  ...adapterRules,
  features: optionRules.list(`a list of ${optionalFeatures.join(', ')}`, (name) =>
    (optionalFeatures as readonly unknown[]).includes(name),
  ),
  maxBytes: optionRules.from(65536),
  // `demandSchedules` says more.
  schedules: optionRules.any,
}

/** What a device has done so far. */
export interface WebGpuCounts extends Readonly<CommandCounts> {
  /** Shaders that were compiled, and the characters of their texts. */
  readonly pipelines: number
  readonly characters: number
  /** Bytes of the buffers in use, and of those kept for reuse. */
  readonly heldBytes: number
  readonly spareBytes: number
}

/** A device on a GPU. */
export interface WebGpuDevice extends Device {
  /** WebGPU's own device, for whoever draws what is computed. */
  readonly gpu: GPUDevice
  /** The adapter's name of itself. */
  readonly adapterInfo: GPUAdapterInfo
  /** Features in use, of the device and of WGSL. */
  readonly features: ReadonlySet<string>
  counts(): WebGpuCounts
  /**
   * Runs `work`, and answers how long each dispatch of it took on the GPU: nothing, where `work` dispatched nothing. Some GPUs count
   * time in large steps (65,536 ns); what is shorter reads 0 or a step, so sum up over many runs.
   * @throws ValueError without the feature 'timestamp-query', or while another profile runs
   */
  profile(work: () => Promise<unknown>): Promise<readonly KernelTime[]>
}

/** Limits that are asked for as large as the adapter allows. */
const limits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
] as const

/**
 * Opens a device on a GPU: the browser's, or in Node by the npm package `webgpu`. Give it to a session, which disposes it.
 * Reading back takes time: use `session.run`, not `runSync`.
 * @throws PlacementError where there is no adapter, ValueError for options that there are not or out of range, and for schedules of another adapter
 */
export async function webgpu(options: WebGpuOptions = {}): Promise<WebGpuDevice> {
  checkOptions('webgpu', options, webGpuRules)
  const { features = optionalFeatures, maxBytes = Infinity, schedules } = options
  const found = await findAdapter(options)
  const { adapter } = found
  if (schedules !== undefined) demandSchedules(schedules, adapter.info)
  const gpu = await adapter
    .requestDevice({
      requiredFeatures: features.filter((name) => adapter.features.has(name)),
      requiredLimits: Object.fromEntries(limits.map((name) => [name, adapter.limits[name]])),
    })
    .catch((cause: unknown) => {
      throw new PlacementError(
        `the GPU's adapter opens no device (${cause instanceof Error ? cause.message : String(cause)}): an adapter opens one only, request another, or leave it to webgpu()`,
        { cause },
      )
    })
  return new GpuDevice(found, gpu, maxBytes, schedules)
}

class GpuDevice implements WebGpuDevice {
  readonly type = 'webgpu'
  readonly caps: DeviceCaps
  readonly gpu: GPUDevice
  readonly features: ReadonlySet<string>
  readonly #adapter: GPUAdapter
  readonly #health: Health
  readonly #pool: BufferPool
  readonly #commands: Commands
  readonly #pipelines: PipelineCache
  readonly #copier: Copier
  readonly #launcher: Launcher
  readonly #target: Target
  #closed = false

  constructor(
    { adapter, languageFeatures }: FoundAdapter,
    gpu: GPUDevice,
    maxBytes: number,
    schedules?: Schedules,
  ) {
    this.#adapter = adapter
    this.gpu = gpu
    this.features = new Set([...gpu.features, ...languageFeatures])
    this.#health = new Health(gpu)
    this.#commands = new Commands(gpu)
    this.#pool = new BufferPool(gpu, this.#health, maxBytes, () => this.#commands.submit())
    this.#pipelines = new PipelineCache(gpu, this.#health)
    this.#target = targetOf(gpu, this.features, schedules)
    this.#launcher = {
      binder: new Binder(gpu, this.#pipelines),
      commands: this.#commands,
      demandUsable: () => this.#demandUsable(),
    }
    this.#copier = new Copier(this.#launcher, this.#pool)
    this.caps = {
      dtypes: new Set(wgslDtypes),
      maxBuffers: this.#target.maxBuffers,
      maxBytes: Math.min(largestBuffer(gpu), maxBytes),
      subBuffers: false,
      // Implementations of WGSL may take it that no number is NaN or infinite.
      strictNaN: false,
      epilogues: new Set(kernelDefs.filter((def) => def.epilogue).map(({ op }) => op)),
    }
  }

  get adapterInfo(): GPUAdapterInfo {
    return this.#adapter.info
  }

  alloc(bytes: number): Buffer {
    this.#demandUsable()
    return this.#pool.take(bytes)
  }

  free(buffer: Buffer): void {
    this.#pool.give(ownBuffer(buffer))
  }

  write(to: Buffer, data: Uint8Array): void {
    this.#demandUsable()
    const own = ownBuffer(to)
    if (data.byteLength > own.bytes)
      throw new InternalError(`${data.byteLength} bytes were written to a buffer of ${own.bytes}`)
    this.#commands.write(own, data)
  }

  async read(from: Buffer, bytes = from.bytes): Promise<Uint8Array> {
    this.#demandUsable()
    const own = ownBuffer(from)
    try {
      const data = await this.#commands.read(own, Math.min(bytes, own.bytes))
      this.#demandUsable()
      return data
    } catch (error) {
      const cause = await this.#health.causeOf(error)
      this.#demandUsable()
      throw cause
    }
  }

  copy(bytes: number): Kernel {
    return this.#copier.kernel(bytes)
  }

  move(from: Buffer, fromOffset: number, to: Buffer, toOffset: number, bytes: number): void {
    this.#demandUsable()
    this.#copier.move(ownBuffer(from), fromOffset, ownBuffer(to), toOffset, bytes)
  }

  fuse(kernel: FusedKernel): Kernel {
    return stagedKernel(kernel.name, lower(kernel, this.#target), this.#launcher)
  }

  supports(op: string, signature: Signature): boolean {
    return this.#find(op, signature) !== undefined
  }

  kernel(op: string, signature: Signature, epilogue?: FusedKernel): Kernel {
    const def = this.#find(op, signature)
    if (!def) throw new PlacementError(`the webgpu device has no kernel for ${op} of these types`)
    const inputs = boundInputs(signature).length
    const [output] = signature.outputs
    const further = epilogue ? epilogue.inputs.length - 1 + epilogue.stores.length : 0
    const code = def.compile(signature, this.#target, {
      output: epilogue ? outputThrough(epilogue, output!, inputs) : plainOutput(output!, inputs),
      firstOutput: inputs,
      workspace: inputs + signature.outputs.length + further,
    })
    const { name = op } = signature
    return stagedKernel(epilogue ? `${name} then ${epilogue.name}` : name, code, this.#launcher)
  }

  async sequence(launches: readonly BoundLaunch[]): Promise<() => void> {
    this.#demandUsable()
    const enqueues = await bindAll(launches)
    return () => {
      this.#demandUsable()
      for (const enqueue of enqueues) enqueue()
    }
  }

  pace(): Promise<unknown> | undefined {
    return this.#commands.pace()
  }

  counts(): WebGpuCounts {
    const { held, spare } = this.#pool.bytes
    return { ...this.#commands.counts, ...this.#pipelines.counts, heldBytes: held, spareBytes: spare }
  }

  async profile(work: () => Promise<unknown>): Promise<readonly KernelTime[]> {
    if (!this.features.has('timestamp-query'))
      throw new ValueError("this adapter has no 'timestamp-query', or the device was opened without it")
    if (this.#commands.profile) throw new ValueError('another profile is running')
    this.#commands.submit()
    const profile = new Profile(this.gpu)
    this.#commands.profile = profile
    try {
      try {
        await work()
      } finally {
        // Also after a failure: what is still to be sent off refers to the profile.
        this.#commands.submit()
        this.#commands.profile = undefined
      }
      return await profile.times()
    } finally {
      profile.destroy()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#health.close()
    // What is on its way may still call back; a lost device has nothing on its way.
    await Promise.race([this.gpu.queue.onSubmittedWorkDone(), this.gpu.lost])
    this.#commands.destroy()
    this.gpu.destroy()
    await this.gpu.lost
  }

  #find(op: string, signature: Signature): KernelDef | undefined {
    const types = [...signature.inputs, ...signature.outputs]
    if (!types.every(({ dtype }) => this.caps.dtypes.has(dtype))) return undefined
    return kernelDefs.find((def) => def.op === op && (def.supports?.(signature) ?? true))
  }

  #demandUsable(): void {
    const { failure } = this.#health
    if (failure) throw failure
    if (this.#closed) throw new ClosedError('the webgpu device was disposed')
  }
}
