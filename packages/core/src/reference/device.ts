// The reference device: an interpreter on host memory. It defines what every op means, and has a kernel for each.
import type { DType, TypedArray } from '../dtype.ts'
import { fixedSize, viewOf } from '../dtype.ts'
import { InternalError, PlacementError } from '../errors.ts'
import { prepareKernel } from '../ir/interpret.ts'
import type { FusedKernel } from '../ir/kernel.ts'
import type { Buffer, Device, DeviceCaps, Kernel, Signature } from '../run/device.ts'
import { sizeOf } from '../shape.ts'
import type { ReferenceKernels } from './kernel.ts'
import { boundInputs } from './kernel.ts'
import { referenceKernels } from './kernels/index.ts'

class HostBuffer implements Buffer {
  readonly bytes: number
  readonly memory: Uint8Array
  constructor(bytes: number) {
    this.bytes = bytes
    this.memory = new Uint8Array(bytes)
  }
}

const memoryOf = (buffer: Buffer | undefined): Uint8Array => {
  if (buffer instanceof HostBuffer) return buffer.memory
  throw new InternalError('a buffer of another device was given to the reference device')
}

/**
 * A device that runs anywhere, slowly, and whose answers are the definition of every op.
 * @param kernels the kernels of ops with a `kernel` body, by name; defaults to all of core.
 */
export function reference(kernels: ReferenceKernels = referenceKernels): Device {
  return new ReferenceDevice(kernels)
}

class ReferenceDevice implements Device {
  readonly type = 'reference'
  readonly caps: DeviceCaps = {
    dtypes: new Set<DType>(fixedSize),
    maxBuffers: Infinity,
    maxBytes: Infinity,
    subBuffers: false,
    strictNaN: true,
  }
  private readonly kernels: ReferenceKernels
  constructor(kernels: ReferenceKernels) {
    this.kernels = kernels
  }

  alloc(bytes: number): Buffer {
    return new HostBuffer(bytes)
  }
  // The garbage collector frees host memory.
  free(): void {}
  write(to: Buffer, data: Uint8Array): void {
    memoryOf(to).set(data)
  }
  read(from: Buffer, bytes?: number): Uint8Array {
    return memoryOf(from).slice(0, bytes)
  }
  copy(bytes: number): Kernel {
    return kernelOf(([from, to]) => memoryOf(to).set(memoryOf(from).subarray(0, bytes)))
  }
  move(from: Buffer, fromOffset: number, to: Buffer, toOffset: number, bytes: number): void {
    memoryOf(to).set(memoryOf(from).subarray(fromOffset, fromOffset + bytes), toOffset)
  }
  fuse(kernel: FusedKernel): Kernel {
    const run = prepareKernel(kernel)
    return kernelOf((args) => {
      const arrays = [...kernel.inputs, ...kernel.stores].map(({ dtype, length }, i) =>
        view(dtype, args[i], length),
      )
      run(arrays.slice(0, kernel.inputs.length), arrays.slice(kernel.inputs.length))
    })
  }
  supports(op: string): boolean {
    return Object.hasOwn(this.kernels, op)
  }
  kernel(op: string, signature: Signature): Kernel {
    const run = this.kernels[op]
    if (!run) throw new PlacementError(`the reference device has no kernel for ${op}`)
    const inputs = boundInputs(signature)
    const { outputs } = signature
    return kernelOf((args) => {
      const arrays = [...inputs, ...outputs].map((t, i) => view(t.dtype, args[i], sizeOf(t.shape)))
      run(arrays.slice(0, inputs.length), arrays.slice(inputs.length), signature)
    })
  }
  async [Symbol.asyncDispose](): Promise<void> {}
}

const kernelOf = (launch: Kernel['launch']): Kernel => ({ launch, workspaceBytes: 0 })
const view = (dtype: DType, buffer: Buffer | undefined, length: number): TypedArray =>
  viewOf(dtype as Exclude<DType, 'string'>, memoryOf(buffer), length)
