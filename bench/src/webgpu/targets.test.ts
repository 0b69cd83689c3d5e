import { describe, expect, it } from 'vitest'
import { families } from '../families.ts'
import { meets } from '../targets.ts'
import type { GpuBook } from './counts.ts'
import { gpuCountTargets, gpuTargets } from './targets.ts'
import { gpuWorks, smallGpuWorks } from './works.ts'

const counts = {
  submits: 1,
  dispatches: 24,
  uploadedBytes: 0,
  readBytes: 4,
  pipelines: 9,
  characters: 100,
  heldBytes: 100,
}

/** What of these counts misses a target. */
const missed = (gpuCounts: GpuBook): string[] =>
  gpuCountTargets
    .filter(({ bound, read }) =>
      read({ comparisons: [], quantities: [], gpuCounts }).some(({ value }) => !meets(bound, value)),
    )
    .map(({ says }) => says)

describe('the targets on a GPU', () => {
  it('let a step pass that is one submission and reads its loss', () => {
    expect(missed({ 'train-lenet-2': counts })).toEqual([])
  })
  it('see a second submission, and a second number that is read', () => {
    expect(missed({ 'train-mlp-2': { ...counts, submits: 2, readBytes: 8 } })).toEqual([
      'submits of a training step',
      'bytes read back in a training step: its loss',
    ])
  })
  it('see a LeNet step and a chain of too many dispatches', () => {
    expect(missed({ 'train-lenet-2': { ...counts, dispatches: 41 } })).toEqual([
      'dispatches of the LeNet step',
    ])
    expect(missed({ 'multiply-add-1e4': { ...counts, dispatches: 2, readBytes: 0 } })).toEqual([
      'dispatches of an element-wise chain',
    ])
  })
  it('see what is read though nobody asked for it', () => {
    expect(missed({ softmax: { ...counts, readBytes: 400 } })).toEqual([
      'bytes read back where nothing is fetched',
    ])
  })
  it('ask of times only what is measured', () => {
    const times = 2
    const results = {
      comparisons: gpuWorks.map((work) => ({
        work,
        samples: new Map([
          ['shoal, kernels', [times]],
          ['shoal, Chromium', [times]],
          ['copy', [1]],
          ['fma peak', [1]],
          ['tfjs-webgpu', [6]],
        ]),
        faults: new Map<string, string>(),
        tooSlow: [],
      })),
      quantities: [],
    }
    const read = gpuTargets.slice(gpuCountTargets.length).map((target) => target.read(results))
    expect(read.every((readings) => readings.length > 0)).toBe(true)
    expect(new Set(read.flat().map(({ value }) => value))).toEqual(new Set([0.5, 3]))
  })
})

describe.each([
  ['works on a GPU', gpuWorks],
  ['small works', smallGpuWorks],
])('%s', (_, works) => {
  it('have names of their own, and stand in one family each', () => {
    expect(new Set(works.map(({ name }) => name)).size).toBe(works.length)
    expect(works.filter((work) => families.filter(({ holds }) => holds(work)).length !== 1)).toEqual([])
  })
})
