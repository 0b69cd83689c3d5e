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
  Signature,
} from '@shoal/core'
import { ClosedError, fixedSize, PlacementError, referenceKernels, ValueError } from '@shoal/core'
import { CpuBuffer, ownBuffer } from './buffer.ts'
import type { HostKernels } from './hostKernels.ts'
import { hostKernel } from './kernels/host.ts'
import { kernelDefs } from './kernels/index.ts'
import { copyKernel } from './kernels/copy.ts'
import type { KernelOptions } from './kernels/kernelDef.ts'
import { lowering } from './lower/lower.ts'
import { Heap, largestMemory } from './memory.ts'
import { Pool } from './pool.ts'
import { compileProgram, kernelOf } from './program.ts'
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
  /** Kernels of other packages: whichever has one first computes an op, this package what none of them takes. Default none. */
  readonly kernels?: readonly HostKernels[]
}

/**
 * A device that computes in WebAssembly SIMD on the processor, in Node and in browsers. Give it to a session, which disposes it.
 * Compiling is synchronous with one thread; with more, Programs wait until every thread has their code.
 * @throws ValueError for options out of range, or an engine without WebAssembly SIMD
 */
export function cpu(options: CpuOptions = {}): Device {
  const { threads = 1, maxBytes = largestMemory, strict = false, kernels = [] } = options
  const { simd, relaxedSimd, threads: sharing } = features()
  if (!simd)
    throw new ValueError(
      'this JavaScript engine has no WebAssembly SIMD: use the reference device, or a newer engine',
    )
  if (!Number.isInteger(threads) || threads < 1)
    throw new ValueError(`threads must be a whole number from 1, got ${threads}`)
  if (!(maxBytes >= 65536)) throw new ValueError(`maxBytes must be at least 65536, got ${maxBytes}`)
  if (strict && kernels.length > 0)
    throw new ValueError(
      `strict promises the same bits on every machine, which ${kernels[0]!.name} does not: leave out strict or kernels`,
    )
  const relaxed = !strict && relaxedSimd && (options.relaxed ?? true)
  const shared = threads > 1 && sharing && typeof SharedArrayBuffer !== 'undefined'
  return new CpuDevice(new Heap(maxBytes, shared), shared ? threads : 1, { relaxed }, kernels)
}

class CpuDevice implements Device {
  readonly type = 'cpu'
  readonly caps: DeviceCaps
  readonly #heap: Heap
  readonly #pool: Pool | undefined
  readonly #options: KernelOptions
  readonly #lowering: ReturnType<typeof lowering>
  readonly #given: readonly HostKernels[]
  #closed = false

  constructor(heap: Heap, threads: number, options: KernelOptions, given: readonly HostKernels[]) {
    this.#heap = heap
    this.#pool = threads > 1 ? new Pool(threads, heap.memory) : undefined
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
    this.#bytes(to).set(data)
  }

  read(from: Buffer, bytes = from.bytes): Uint8Array {
    return this.#bytes(from).slice(0, bytes)
  }

  copy(bytes: number): Kernel {
    return kernelOf({ kind: 'wasm', write: copyKernel(bytes) }, this.#heap)
  }

  move(from: Buffer, fromOffset: number, to: Buffer, toOffset: number, bytes: number): void {
    this.#bytes(to).set(this.#bytes(from).subarray(fromOffset, fromOffset + bytes), toOffset)
  }

  fuse(kernel: FusedKernel): Kernel {
    const write = this.#lowering.lower(kernel, this.#lowering.schedule(kernel))
    return kernelOf({ kind: 'wasm', write: (module) => [write(module)] }, this.#heap)
  }

  supports(op: string, { inputs, outputs }: Signature): boolean {
    return (
      Object.hasOwn(referenceKernels, op) &&
      [...inputs, ...outputs].every(({ dtype }) => this.caps.dtypes.has(dtype))
    )
  }

  kernel(op: string, signature: Signature): Kernel {
    if (!this.supports(op, signature))
      throw new PlacementError(`the cpu device has no kernel for ${op} of these types`)
    const given = this.#givenKernel(op, signature)
    if (given) return given
    const found = kernelDefs.find((def) => def.op === op && def.supports(signature))
    if (!found)
      return kernelOf({ kind: 'host', run: hostKernel(referenceKernels[op]!, signature) }, this.#heap)
    const { write, workspaceBytes } = found.compile(signature, this.#options)
    return kernelOf({ kind: 'wasm', write }, this.#heap, workspaceBytes)
  }

  sequence(launches: readonly BoundLaunch[]): Awaitable<() => void> {
    this.#open()
    return compileProgram(launches, this.#heap, this.#pool)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await this.#pool?.dispose()
  }

  #givenKernel(op: string, signature: Signature): Kernel | undefined {
    for (const kernels of this.#given) {
      const found = kernels.kernel(op, signature, this.#heap.memory)
      if (!found) continue
      const run = (args: readonly CpuBuffer[]) => found.run(args.map(({ address }) => address))
      return kernelOf({ kind: 'host', run }, this.#heap, found.workspaceBytes)
    }
    return undefined
  }

  #bytes(buffer: Buffer): Uint8Array {
    const { address, bytes } = ownBuffer(buffer, this.#heap)
    return this.#heap.bytes(address, bytes)
  }

  #open(): void {
    if (this.#closed) throw new ClosedError('the cpu device was disposed')
  }
}
