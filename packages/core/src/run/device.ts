// What a kernels package implements: memory, kernels, and launches that run in order and never wait.
import type { AttrValues } from '../attr.ts'
import type { DType } from '../dtype.ts'
import type { FusedKernel } from '../ir/kernel.ts'
import type { ConcreteType } from '../shape.ts'

/** A value now or later. */
export type Awaitable<T> = T | Promise<T>

/** A region of device memory, meaningful only to the device that made it. */
export interface Buffer {
  readonly bytes: number
}

/** What a device can hold and do. */
export interface DeviceCaps {
  /** Dtypes that its memory and its fused kernels take; strings never. */
  readonly dtypes: ReadonlySet<DType>
  /** Buffers that one kernel may bind: inputs and output together. */
  readonly maxBuffers: number
  /** The largest single buffer. */
  readonly maxBytes: number
  /** May one buffer back several live tensors at different offsets? */
  readonly subBuffers: boolean
  /** Are NaN and infinities computed as IEEE-754 says? */
  readonly strictNaN: boolean
  /** Ops whose kernels take an epilogue: see `Device.kernel`. Default none. */
  readonly epilogues?: ReadonlySet<string>
}

/** Everything a hand-written kernel may specialise on: sizes are numbers by now. */
export interface Signature {
  /** The node that asks, for traces and error messages. Default none. */
  readonly name?: string
  readonly inputs: readonly ConcreteType[]
  readonly outputs: readonly ConcreteType[]
  readonly attrs: AttrValues
  /** Positions of the inputs that lend only their shape: no buffer is bound for them. Default none. */
  readonly shapeOnly?: ReadonlySet<number>
  /**
   * Positions of the inputs that hold the same values at every launch: weights at inference. A kernel may then ask to prepare them once
   * (`Kernel.prepared`). It answers the same bits as without. Default none.
   */
  readonly constants?: ReadonlySet<number>
}

/** Enqueues one prepared kernel on buffers: inputs (without shape-only ones), outputs, then scratch memory if it asked for some. Never waits. */
export type Launch = (args: readonly Buffer[]) => void
/** A prepared kernel. */
export interface Kernel {
  readonly launch: Launch
  /** Scratch memory that the planner must hand over as the last argument; 0: none. */
  readonly workspaceBytes: number
  /** What it makes of its constant inputs; absent: nothing. */
  readonly prepared?: PreparedInputs
  /** How it runs, in a few words for people; asked for by `inspectProgram`. */
  readonly schedule?: () => string
}
/**
 * Memory that a kernel fills once, when its constant inputs have their values, and reads at every launch: weights in the order in which
 * they are needed. It belongs to whoever holds the kernel, is not shared with other kernels, and is the last argument of every launch.
 */
export interface PreparedInputs {
  readonly bytes: number
  /**
   * Positions of the inputs that it stands for: launches read these no more. Their places among the arguments of a launch then hold this memory, too, and
   * the memory of the inputs is given back where nothing else reads it. Default none.
   */
  readonly replaces?: ReadonlySet<number>
  /** Fills the memory. Its arguments are the kernel's inputs (without shape-only ones), then the memory. */
  readonly launch: Launch
}
/** A kernel and the buffers it will run on. */
export interface BoundLaunch {
  readonly kernel: Kernel
  readonly args: readonly Buffer[]
}

/** Memory that a launch finds at another place in every round of a loop. */
export interface Moving {
  readonly buffer: Buffer
  /** Where it begins in round 0, in bytes from the beginning of the buffer. */
  readonly offset: number
  /** How many bytes further it begins in every round after that; may be negative. */
  readonly stride: number
  /** Rounds after which it is where it was. Default: never. */
  readonly period?: number
}
/** A kernel of a loop, and the buffers that it runs on, some of which move. */
export interface LoopLaunch {
  readonly kernel: Kernel
  readonly args: readonly (Buffer | Moving)[]
}

/** A device of one type: its memory and its kernels. Launches run in the order in which they were enqueued. */
export interface Device {
  /** 'reference', 'cpu', 'webgpu': the last part of device names. */
  readonly type: string
  readonly caps: DeviceCaps
  /** @throws OutOfMemoryError */
  alloc(bytes: number): Buffer
  free(buffer: Buffer): void
  write(to: Buffer, data: Uint8Array): void
  /** The first `bytes` bytes (all by default) as they are after the launches before this call. A copy. */
  read(from: Buffer, bytes?: number): Awaitable<Uint8Array>
  /** A kernel that copies `bytes` bytes of its first argument to its second. */
  copy(bytes: number): Kernel
  /** Enqueues a copy of `bytes` bytes between offsets: what a loop does with the slices that it runs over. */
  move(from: Buffer, fromOffset: number, to: Buffer, toOffset: number, bytes: number): void
  fuse(kernel: FusedKernel): Awaitable<Kernel>
  /** Is there a kernel for this op and these types? Cheap: the placer asks. */
  supports(op: string, signature: Signature): boolean
  /**
   * @param epilogue a kernel without reductions over the elements of the op's one output, its first input, which is then only read at the
   * element that is stored: for ops of `caps.epilogues`. The arguments of such a launch are the op's inputs and the further inputs of
   * the epilogue, then the op's output and the outputs of the epilogue, of which one may be the memory of the op's output.
   * @throws PlacementError when `supports` is false.
   */
  kernel(op: string, signature: Signature, epilogue?: FusedKernel): Awaitable<Kernel>
  /** A run of launches as one: a generated WASM function, a recorded command buffer. Left out: they are called one by one. */
  sequence?(launches: readonly BoundLaunch[]): Awaitable<() => void>
  /** A run of launches as one, for rounds that differ in where their memory is. Left out: loops copy what moves before and after each round. */
  loop?(launches: readonly LoopLaunch[]): Awaitable<(round: number) => void>
  /** While more is enqueued than the device keeps up with, resolves when it has caught up: runs wait for that before they begin. Left out: never. */
  pace?(): Promise<unknown> | undefined
  [Symbol.asyncDispose](): Promise<void>
}
