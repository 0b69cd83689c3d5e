// Kernels of the cpu device that call the system's BLAS, for products and convolutions that are large enough to be worth it.
import { type Signature, sizeOf } from '@shoal/core'
import type { HostKernels } from '@shoal/kernels-cpu'
import { productsOn } from './arena.ts'
import { convKernel } from './conv/conv.ts'
import { type ConvOp, windowsOf } from './conv/windows.ts'
import { type BlasOptions, findLibrary, type Library, openLibrary } from './library.ts'
import { matmulKernel, planMatmul } from './matmul.ts'
import { measured, type Worth } from './worth.ts'

/**
 * The system's BLAS as kernels of a cpu device: `cpu({ kernels: [blas()] })`. It computes MatMul and, in blocks, convolutions without
 * groups and their gradients, of float32 and float64; what is too small to gain stays with the device. Answers differ in their last
 * bits from library to library and machine to machine.
 * @throws NotFoundError where there is no library, or none can be called; ValueError for options that there are not or out of range
 */
export function blas(options: BlasOptions = {}): HostKernels {
  return kernelsOf(openLibrary(options))
}

/**
 * As `blas`, but undefined where there is no library: `cpu({ kernels: [findBlas()] })` is fast where it can be.
 * @throws ValueError for options that there are not or out of range; NotFoundError where libraries can be called, but the one that
 * `library` names cannot: leave it out to take what there is
 */
export function findBlas(options: BlasOptions = {}): HostKernels | undefined {
  const library = findLibrary(options)
  return library && kernelsOf(library)
}

/** Kernels that call an opened library wherever that is worth it. */
export function kernelsOf(library: Library, worth: Worth = measured): HostKernels {
  return {
    name: `blas of ${library.name}`,
    kernel(op, signature, memory) {
      const dtype = floatingType(signature)
      if (!dtype || isEmpty(signature)) return undefined
      if (op === 'MatMul') {
        const plan = planMatmul(signature)
        return worth.matmul(plan) ? matmulKernel(plan, productsOn(memory, library, dtype)) : undefined
      }
      if (!isConvOp(op)) return undefined
      const windows = windowsOf(op, signature)
      if (windows.groups > 1 || !worth.conv(op, windows)) return undefined
      return convKernel(op, windows, dtype, memory, productsOn(memory, library, dtype))
    },
  }
}

const convOps: ReadonlySet<string> = new Set<ConvOp>(['Conv', 'ConvBackpropInput', 'ConvBackpropFilter'])
const isConvOp = (op: string): op is ConvOp => convOps.has(op)

/** The one dtype of all operands, if the library has functions for it. */
function floatingType({ inputs, outputs }: Signature): 'float32' | 'float64' | undefined {
  const [{ dtype } = {}] = outputs
  if (dtype !== 'float32' && dtype !== 'float64') return undefined
  return inputs.every((input) => input.dtype === dtype) ? dtype : undefined
}

/** The library takes no matrices without rows or columns. */
const isEmpty = ({ inputs, outputs }: Signature): boolean =>
  [...inputs, ...outputs].some(({ shape }) => sizeOf(shape) === 0)
