import type { DType, Expr, FusedKernel, Kernel } from '@shoal/core'
import { collapseAxes, E, interpretKernel, subexpressions } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { cpu } from '../cpu.ts'
import { passesOf } from './passes.ts'
import { stashCostly, type StashedPasses } from './stash.ts'

const [rows, columns] = [5, 9]
const whole = { dtype: 'float32', length: rows * columns } as const
const at = E.add(E.mul(E.axis(0), E.num(columns, 'int32')), E.axis(1))
const x = E.load(0, at, 'float32')
const greatest = E.acc(0, 'float32')
const total = E.acc(1, 'float32')

/** The greatest of a row, then the sum of `term`, then a store. */
const kernelOf = (term: Expr, value: Expr, dtype: DType = 'float32'): FusedKernel => ({
  name: 'rows',
  inputs: [whole, whole],
  axes: [rows, columns],
  reduced: 1,
  reductions: [
    { combine: 'max', dtype: 'float32', term: x },
    { combine: 'sum', dtype: 'float32', term },
  ],
  stores: [{ dtype, length: rows * columns, index: at, value }],
})

const stash = (kernel: FusedKernel): StashedPasses => stashCostly(passesOf(collapseAxes(kernel)))

/** How often each pass takes an exponential, and which inputs it reads. */
const work = ({ passes }: StashedPasses) =>
  passes.map(({ reductions, stores }) => {
    const all = [...subexpressions(...reductions.map((r) => r.term), ...stores.map((s) => s.value))]
    return {
      exponentials: all.filter(({ op }) => op === 'exp').length,
      reads: [...new Set(all.flatMap((e) => (e.op === 'load' ? [e.input] : [])))],
      outputs: stores.map(({ output }) => output),
    }
  })

const power = E.exp(E.sub(x, greatest))

describe('costly values of several passes', () => {
  it('are computed once and read from the output', () => {
    const stashed = stash(kernelOf(power, E.div(power, total)))
    expect(stashed.reread).toEqual([0])
    expect(stashed.kernel.inputs).toEqual([whole, whole, whole])
    expect(work(stashed)).toEqual([
      { exponentials: 0, reads: [0], outputs: [] },
      { exponentials: 1, reads: [0], outputs: [0] },
      { exponentials: 0, reads: [2], outputs: [0] },
    ])
  })

  it('are computed again where a later pass reads an input that the output may be the memory of', () => {
    const again = E.load(1, at, 'float32')
    expect(stash(kernelOf(power, E.mul(again, E.div(power, total)))).reread).toEqual([])
    expect(stash(kernelOf(power, E.mul(x, E.div(power, total)))).reread).toEqual([])
  })

  it('are computed again where the output has another dtype', () => {
    expect(stash(kernelOf(power, E.cast(E.div(power, total), 'float16'), 'float16')).reread).toEqual([])
  })

  it('are not kept when one pass alone needs them, nor what is cheap', () => {
    expect(stash(kernelOf(power, E.div(x, total))).reread).toEqual([])
    const cheap = E.mul(E.sub(x, greatest), E.num(2, 'float32'))
    expect(stash(kernelOf(cheap, E.div(cheap, total))).reread).toEqual([])
  })

  it('take one output each', () => {
    const other = E.log(E.add(power, E.num(1, 'float32')))
    const { stores, ...kernel } = kernelOf(E.add(power, other), E.div(power, total))
    const two = [...stores, { ...stores[0]!, value: E.div(other, total) }]
    const stashed = stash({ ...kernel, stores: two })
    expect(stashed.reread).toHaveLength(2)
    expect(work(stashed).map(({ exponentials, outputs }) => [exponentials, outputs.length])).toEqual([
      [0, 0],
      [1, 2],
      [0, 2],
    ])
  })

  it.each([
    ['along rows', [33, 70], 1],
    ['down columns', [70, 33], 0],
  ] as const)('give what the interpreter gives, also in place, %s', (_, [m, n], axis) => {
    const kept = [m, n][1 - axis]!
    const length = m * n
    const index =
      axis === 1
        ? E.add(E.mul(E.axis(0), E.num(n, 'int32')), E.axis(1))
        : E.add(E.mul(E.axis(1), E.num(n, 'int32')), E.axis(0))
    const data = E.load(0, index, 'float32')
    const e = E.exp(E.sub(data, greatest))
    const kernel: FusedKernel = {
      ...kernelOf(e, E.div(e, total)),
      inputs: [{ dtype: 'float32', length }],
      axes: [kept, length / kept],
      reductions: [
        { combine: 'max', dtype: 'float32', term: data },
        { combine: 'sum', dtype: 'float32', term: e },
      ],
      stores: [{ dtype: 'float32', length, index, value: E.div(e, total) }],
    }
    expect(stash(kernel).reread).toEqual([0])
    const numbers = Float32Array.from({ length }, (_element, i) => ((i * 37) % 101) / 17)
    const expected = interpretKernel(kernel, [numbers])[0]!
    const device = cpu()
    const [from, to] = [device.alloc(length * 4), device.alloc(length * 4)]
    device.write(from, new Uint8Array(numbers.buffer))
    const { launch } = device.fuse(kernel) as Kernel
    launch([from, to])
    launch([from, from])
    for (const buffer of [to, from]) {
      const bytes = device.read(buffer) as Uint8Array
      const actual = new Float32Array(bytes.slice(0, length * 4).buffer)
      actual.forEach((value, i) => expect(value).toBeCloseTo(Number(expected[i]), 6))
    }
  })
})
