// The cpu device: kernels are written as WebAssembly when a Program asks for them, over one memory that its threads share.
import type {
  Awaitable,
  BoundLaunch,
  Buffer,
  Device,
  DeviceCaps,
  DType,
  FusedKernel,
  Kernel,
  LoopLaunch,
  OptionRules,
  Signature,
} from '@shoal/core'
import {
  boundInputs,
  checkOptions,
  ClosedError,
  fixedSize,
  InternalError,
  optionRules,
  PlacementError,
  referenceKernels,
  ValueError,
} from '@shoal/core'
import { CpuBuffer, ownBuffer } from './buffer.ts'
import { isTuning, type Tuning } from './gemm/tuning.ts'
import type { HostKernels } from './hostKernels.ts'
import { withEpilogue } from './epilogue.ts'
import { hostKernel } from './kernels/host.ts'
import { epilogues, kernelDefs } from './kernels/index.ts'
import { copyKernel } from './kernels/copy.ts'
import type { CompiledKernel, KernelOptions } from './kernels/kernelDef.ts'
import { lowering } from './lower/lower.ts'
import { Heap, largestMemory } from './memory.ts'
import { compileProgram, kernelOf } from './program.ts'
import type { KernelCode } from './stage.ts'
import { Threads } from './threads.ts'
import { features } from './wasm/index.ts'

/** How a cpu device computes. */
export interface CpuOptions {
  /**
   * Threads that large kernels are shared by, the calling one included. Default 1. Where memory cannot be shared (pages that are not
   * cross-origin isolated) it is 1 whatever is asked for. Answers do not depend on it.
   */
  readonly threads?: number
  /** Bytes that all buffers together may take. Default: 4 GiB less 64 KiB, the largest WebAssembly memory. */
  readonly maxBytes?: number
  /** Round multiply-add once where the engine can (faster, and another last bit). Default: true where the engine has it. */
  readonly relaxed?: boolean
  /** The same bits on every machine: turns `relaxed` off, and goes without `kernels` of others. Default false. */
  readonly strict?: boolean
  /**
   * Where the code of threads is. Default: a file beside this module, which bundles have to bring along as `worker.js`, made of
   * `@shoal/kernels-cpu/worker`; here they may say where else it is. Where there is no such code the calling thread computes alone, and
   * `ready()` says why; a URL that threads cannot be started from at all (https in Node) is a ValueError when the first Program is compiled that is worth sharing.
   */
  readonly worker?: URL
  /**
   * Kernels of other packages: whichever has one first computes an op, and this package what none of them takes. Default none;
   * undefined, for a package that found nothing to call, is as good as none.
   */
  readonly kernels?: readonly (HostKernels | undefined)[]
  /**
   * What `measureTuning` (or in Node `storedTuning` of `@shoal/kernels-cpu/node`) found to be fast on this machine. Default: measured, in
   * some 10 ms, when the first matrix product is compiled that is large enough to gain by it. Answers do not depend on it.
   */
  readonly tuning?: Tuning
}

const isKernels = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'kernel' in value && typeof value.kernel === 'function'

const cpuRules: OptionRules<CpuOptions> = {
  threads: optionRules.whole(1),
  maxBytes: optionRules.from(65536),
  relaxed: optionRules.boolean,
  strict: optionRules.boolean,
  worker: { wanted: 'a URL object', accepts: (value) => value instanceof URL },
  kernels: optionRules.list(
    'a list of families of kernels, as in [blas()]',
    (value) => value === undefined || isKernels(value),
  ),
  tuning: { wanted: 'what measureTuning() answers', accepts: isTuning },
}

/** A cpu device. */
export interface CpuDevice extends Device {
  /**
   * Resolves when every thread has the code of all Programs that were compiled so far. Nothing has to wait for it: until then the calling
   * thread computes alone, with the same answers. For measurements.
   * @throws InternalError when a thread could not be started or has ended (the calling thread goes on alone), ClosedError when the device was disposed
   */
  ready(): Promise<void>
}

/**
 * A device that computes in WebAssembly SIMD on the processor, in Node and in browsers. Give it to a session, which disposes it.
 * Devices with the same number of threads share them.
 * @throws ValueError for options that there are not or out of range, or an engine without WebAssembly SIMD
 */
export function cpu(options: CpuOptions = {}): CpuDevice {
  checkOptions('cpu', options, cpuRules)
  const { threads = 1, maxBytes = largestMemory, strict = false } = options
  const { simd, relaxedSimd, threads: sharing } = features()
  if (!simd)
    throw new ValueError(
      'this JavaScript engine has no WebAssembly SIMD: use the reference device, or a newer engine',
    )
  const kernels = (options.kernels ?? []).filter((family) => family !== undefined)
  if (strict && kernels.length > 0)
    throw new ValueError(
      `strict promises the same bits on every machine, which '${kernels[0]!.name}' does not: leave out strict or kernels`,
    )
  const relaxed = !strict && relaxedSimd && (options.relaxed ?? true)
  const shared = threads > 1 && sharing && typeof SharedArrayBuffer !== 'undefined'
  const heap = new Heap(maxBytes, shared)
  const team = shared ? new Threads(threads, heap.memory, options.worker) : undefined
  return new WebAssemblyDevice(
    heap,
    team,
    { relaxed, tuning: options.tuning, threads: team ? threads : 1 },
    kernels,
  )
}

class WebAssemblyDevice implements CpuDevice {
  readonly type = 'cpu'
  readonly caps: DeviceCaps
  readonly #heap: Heap
  readonly #threads: Threads | undefined
  readonly #options: KernelOptions
  readonly #lowering: ReturnType<typeof lowering>
  readonly #given: readonly HostKernels[]
  #closed = false

  constructor(
    heap: Heap,
    threads: Threads | undefined,
    options: KernelOptions,
    given: readonly HostKernels[],
  ) {
    this.#heap = heap
    this.#threads = threads
    this.#options = options
    this.#lowering = lowering(options.relaxed)
    this.#given = given
    this.caps = {
      dtypes: new Set<DType>(fixedSize),
      // As many as a function of WebAssembly may take parameters, less the range.
      maxBuffers: 998,
      maxBytes: heap.maxBytes - 65536,
      subBuffers: false,
      strictNaN: true,
      epilogues,
    }
  }

  alloc(bytes: number): Buffer {
    this.#open()
    return new CpuBuffer(this.#heap, bytes)
  }

  free(buffer: Buffer): void {
    const own = ownBuffer(buffer, this.#heap)
    own.freed = true
    this.#heap.free(own.address)
  }

  write(to: Buffer, data: Uint8Array): void {
    const { address, bytes } = ownBuffer(to, this.#heap)
    if (data.byteLength > bytes)
      throw new InternalError(`${data.byteLength} bytes were written to a buffer of ${bytes}`)
    this.#heap.write(address, data)
  }

  read(from: Buffer, bytes = from.bytes): Uint8Array {
    return this.#heap.read(ownBuffer(from, this.#heap).address, Math.min(bytes, from.bytes))
  }

  copy(bytes: number): Kernel {
    return kernelOf({ kind: 'wasm', write: copyKernel(bytes) }, this.#heap, 1)
  }

  move(from: Buffer, fromOffset: number, to: Buffer, toOffset: number, bytes: number): void {
    const [source, target] = [ownBuffer(from, this.#heap), ownBuffer(to, this.#heap)]
    if (fromOffset + bytes > source.bytes || toOffset + bytes > target.bytes)
      throw new InternalError(`${bytes} bytes were moved beyond the end of a buffer`)
    this.#heap.move(source.address + fromOffset, target.address + toOffset, bytes)
  }

  fuse(kernel: FusedKernel): Kernel {
    const { write, workspaceBytes } = this.#lowering.lower(kernel, this.#lowering.schedule(kernel))
    return kernelOf({ kind: 'wasm', write }, this.#heap, kernel.inputs.length, workspaceBytes)
  }

  supports(op: string, { inputs, outputs }: Signature): boolean {
    return (
      Object.hasOwn(referenceKernels, op) &&
      [...inputs, ...outputs].every(({ dtype }) => this.caps.dtypes.has(dtype))
    )
  }

  kernel(op: string, signature: Signature, epilogue?: FusedKernel): Kernel {
    if (!this.supports(op, signature))
      throw new PlacementError(`the cpu device has no kernel for ${op} of these types`)
    const inputs = boundInputs(signature).length
    const { code, workspaceBytes, prepared } = this.#codeOf(op, signature)
    const { relaxed } = this.#options
    const rest = (workspaceBytes > 0 ? 1 : 0) + (prepared ? 1 : 0)
    const whole = epilogue ? withEpilogue(code, epilogue, { inputs, rest, relaxed }) : code
    const reads = inputs + (epilogue ? epilogue.inputs.length - 1 : 0)
    const kernel = kernelOf(whole, this.#heap, reads, workspaceBytes)
    if (!prepared) return kernel
    const { launch } = kernelOf({ kind: 'wasm', write: prepared.write }, this.#heap, inputs)
    return { ...kernel, prepared: { bytes: prepared.bytes, replaces: prepared.replaces, launch } }
  }

  sequence(launches: readonly BoundLaunch[]): Awaitable<() => void> {
    this.#open()
    return compileProgram(launches, this.#heap, this.#threads)
  }

  loop(launches: readonly LoopLaunch[]): Awaitable<(round: number) => void> {
    this.#open()
    return compileProgram(launches, this.#heap, this.#threads)
  }

  async ready(): Promise<void> {
    await this.#threads?.whenReady()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await this.#threads?.dispose()
  }

  #codeOf(
    op: string,
    signature: Signature,
  ): { readonly code: KernelCode } & Pick<CompiledKernel, 'workspaceBytes' | 'prepared'> {
    const given = this.#givenKernel(op, signature)
    if (given) return given
    const found = kernelDefs.find((def) => def.op === op && def.supports(signature))
    if (!found)
      return {
        code: { kind: 'host', name: op, run: hostKernel(referenceKernels[op]!, signature) },
        workspaceBytes: 0,
      }
    const { write, ...rest } = found.compile(signature, this.#options)
    return { code: { kind: 'wasm', write }, ...rest }
  }

  #givenKernel(
    op: string,
    signature: Signature,
  ): { readonly code: KernelCode; readonly workspaceBytes: number } | undefined {
    for (const kernels of this.#given) {
      const found = kernels.kernel(op, signature, this.#heap.memory)
      if (!found) continue
      const run = (args: readonly CpuBuffer[]) => found.run(args.map(({ address }) => address))
      return {
        code: { kind: 'host', name: `${op} of ${kernels.name}`, run },
        workspaceBytes: found.workspaceBytes,
      }
    }
    return undefined
  }

  #open(): void {
    if (this.#closed) throw new ClosedError('the cpu device was disposed')
  }
}
