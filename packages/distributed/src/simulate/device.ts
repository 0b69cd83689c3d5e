// A device whose kernels take simulated time: what is launched is computed at once, and can be read when the node's processor has come so far.
import type {
  Awaitable,
  Buffer,
  Device,
  DeviceCaps,
  FusedKernel,
  Kernel,
  OptionRules,
  Signature,
} from '@shoal/core'
import { checkOptions, flopsOfKernel, optionRules, reference, standardOps } from '@shoal/core'
import type { SimulatedProcess } from './process.ts'

/** A kernel, as far as it matters to how long it takes. */
export interface KernelWork {
  /** The node that it stands for; of a fused kernel, its root. */
  readonly name: string
  /** The op of a hand-written kernel; undefined for a fused one. */
  readonly op: string | undefined
  /** Floating-point operations; 0 where the op does not say. */
  readonly flops: number
}

/** How a device computes. */
export interface SimulatedDeviceOptions {
  /** What the kernels take, in milliseconds, at speed 1: the node's speed and jitter make of it what they take here. */
  readonly kernelMs: (work: KernelWork) => number
  /** What computes the values. The simulated device closes it. Default: the reference device. */
  readonly device?: Device
}

const rules: OptionRules<SimulatedDeviceOptions> = {
  kernelMs: optionRules.function,
  device: optionRules.any,
}

/**
 * The device of a simulated node: for its servers and sessions. Launches queue up at the node's one processor, and a read waits for those before it, as
 * on a GPU. Kernels take time; what the host does (codecs, sums of gradients, graphs being compiled) takes none.
 */
export class SimulatedDevice implements Device {
  readonly type: string
  readonly caps: DeviceCaps
  readonly #process: SimulatedProcess
  readonly #device: Device
  readonly #kernelMs: (work: KernelWork) => number
  /** Settles when all that was launched has been computed; undefined while nothing is. */
  #busy: Promise<void> | undefined

  /** @throws ValueError for options that cannot be. */
  constructor(process: SimulatedProcess, options: SimulatedDeviceOptions) {
    checkOptions('a simulated device', options, rules)
    const { device = reference(), kernelMs } = options
    this.type = device.type
    this.caps = device.caps
    this.#process = process
    this.#device = device
    this.#kernelMs = kernelMs
  }

  alloc(bytes: number): Buffer {
    return this.#device.alloc(bytes)
  }
  free(buffer: Buffer): void {
    this.#device.free(buffer)
  }
  write(to: Buffer, data: Uint8Array): void {
    this.#device.write(to, data)
  }

  read(from: Buffer, bytes?: number): Awaitable<Uint8Array> {
    const value = this.#outside(this.#device.read(from, bytes))
    return this.#busy ? this.#busy.then(() => value) : value
  }

  copy(bytes: number): Kernel {
    return this.#device.copy(bytes)
  }
  move(from: Buffer, fromOffset: number, to: Buffer, toOffset: number, bytes: number): void {
    this.#device.move(from, fromOffset, to, toOffset, bytes)
  }

  fuse(kernel: FusedKernel): Awaitable<Kernel> {
    const work = { name: kernel.name, op: undefined, flops: flopsOfKernel(kernel) }
    return this.#timed(this.#device.fuse(kernel), work)
  }

  supports(op: string, signature: Signature): boolean {
    return this.#device.supports(op, signature)
  }

  kernel(op: string, signature: Signature, epilogue?: FusedKernel): Awaitable<Kernel> {
    const work = { name: signature.name ?? op, op, flops: flopsOf(op, signature) }
    return this.#timed(this.#device.kernel(op, signature, epilogue), work)
  }

  pace(): Promise<void> | undefined {
    return this.#busy
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#device[Symbol.asyncDispose]()
  }

  #timed(made: Awaitable<Kernel>, work: KernelWork): Awaitable<Kernel> {
    const ms = this.#kernelMs(work)
    const timed = (kernel: Kernel): Kernel => ({
      ...kernel,
      launch: (args) => {
        kernel.launch(args)
        if (ms > 0) this.#take(ms)
      },
    })
    const ready = this.#outside(made)
    return ready instanceof Promise ? ready.then(timed) : timed(ready)
  }

  #take(ms: number): void {
    const done = this.#process.compute(ms).then(() => {
      if (this.#busy === done) this.#busy = undefined
    })
    this.#busy = done
  }

  /** What the device underneath takes is no simulated time. */
  #outside<T>(value: Awaitable<T>): Awaitable<T> {
    return value instanceof Promise ? this.#process.node.network.clock.outside(value) : value
  }
}

/** Operations of a hand-written kernel, as its op says. */
function flopsOf(op: string, { inputs, outputs, attrs }: Signature): number {
  const body = standardOps.find(({ def }) => def.name === op)?.def.body
  return body?.kind === 'kernel' ? (body.flops?.(inputs, outputs, attrs as never) ?? 0) : 0
}
