// When a call of the library is worth it, against the kernels that the cpu device has itself.
import { type ConvOp, elementsSeen, isPointwise, positions, type Windows } from './conv/windows.ts'
import type { MatmulPlan } from './matmul.ts'

/** Decides which kernels are made. What it refuses stays with the device. */
export interface Worth {
  matmul(plan: MatmulPlan): boolean
  conv(op: ConvOp, windows: Windows): boolean
}

/*
 * Measured on an AMD EPYC (Zen 4) with OpenBLAS 0.3.21, both sides in turn. A call through the device takes some 0.3 µs; from there on
 * the library is up to twice as fast as kernels in WebAssembly, whose vectors are a quarter as wide. Numbers are multiply-adds.
 */

/** 24³ takes both equally long, 32³ two thirds of the time. */
const leastProduct = 2 ** 15
/** A row or a column times a matrix is bound by memory: it gains where the matrix has left the first cache. */
const leastVector = 2 ** 16
/** Two to four rows or columns: OpenBLAS rearranges the whole matrix for them, which pays while that stays in the second cache. */
const thin = 4
const mostForThin = 2 ** 17
/** Gathering rows takes as long as the product gains, unless each element is used for 16 channels. */
const leastMade = 16
const leastConv = 2 ** 18

/** What the measurements say. */
export const measured: Worth = {
  matmul({ m, n, k }) {
    const narrow = Math.min(m, n)
    if (narrow === 1) return m * n * k >= leastVector
    if (narrow <= thin && Math.max(m, n) * k > mostForThin) return false
    return m * n * k >= leastProduct
  },
  conv(_, windows) {
    const { made } = windows
    const work = positions(windows) * elementsSeen(windows) * made
    return isPointwise(windows) ? work >= leastProduct : made >= leastMade && work >= leastConv
  },
}
