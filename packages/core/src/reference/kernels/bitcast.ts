// The same bytes read as another dtype.
import type { ReferenceKernels } from '../kernel.ts'

/** Bitcast. */
export const bitcastKernels: ReferenceKernels = {
  Bitcast([x], [out]) {
    new Uint8Array(out!.buffer, out!.byteOffset, out!.byteLength).set(
      new Uint8Array(x!.buffer, x!.byteOffset, x!.byteLength),
    )
  },
}
