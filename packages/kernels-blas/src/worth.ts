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
 * the library is up to twice as fast as kernels in WebAssembly, whose vectors are a quarter as wide. Work is counted in multiply-adds.
 */

/** 24³ takes both equally long, 32³ takes the library two thirds of the time. */
const leastProduct = 2 ** 15
/** A row or a column times a matrix is bound by memory: the library gains a third where the matrix has left the first cache. */
const leastVector = 2 ** 17
/** Up to so many rows or columns gain nothing from this work on, where OpenBLAS begins to bring operands into another order first. */
const thin = 8
const mostForThin = 2 ** 20
/** Sums of fewer products are bound by writing them. */
const leastDepth = 8
/** Gathering rows takes as long as the product gains, unless each element is used for so many channels. */
const leastMade = 16
const leastConv = 2 ** 18

/** What the measurements say. */
export const measured: Worth = {
  matmul({ m, n, k }) {
    const work = m * n * k
    const narrow = Math.min(m, n)
    if (narrow === 1) return work >= leastVector
    if (k < leastDepth || (narrow <= thin && work > mostForThin)) return false
    return work >= leastProduct
  },
  conv(_, windows) {
    const { made } = windows
    const work = positions(windows) * elementsSeen(windows) * made
    return isPointwise(windows) ? work >= leastProduct : made >= leastMade && work >= leastConv
  },
}
