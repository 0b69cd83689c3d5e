// Kernels that another package brings to the cpu device: functions of the host that compute on the device's own memory.
import type { Signature } from '@shoal/core'

/** A kernel that was prepared for one signature and one memory. */
export interface HostKernel {
  /** Scratch memory in bytes, whose address is given last where it is not 0. */
  readonly workspaceBytes: number
  /**
   * Computes on the calling thread, and returns when everything is written. Addresses are bytes from the beginning of the memory,
   * multiples of 64: inputs (without shape-only ones), outputs, scratch memory. Outputs hold anything before.
   */
  run(addresses: readonly number[]): void
}

/** A family of kernels that is asked before the device's own: `cpu({ kernels: [blas()] })`. */
export interface HostKernels {
  /** Names the family in errors and reports. */
  readonly name: string
  /**
   * A kernel for an op with these types and attributes, or undefined for what others compute better.
   * `memory` may grow at any time: typed arrays over it, and its place in the process, hold only until the next allocation.
   */
  kernel(op: string, signature: Signature, memory: WebAssembly.Memory): HostKernel | undefined
}
