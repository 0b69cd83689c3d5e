// What Shoal is to reach on a GPU: counts everywhere, times where there is a GPU.
import type { Grouped, Target } from '../targets.ts'
import { compared, steps, targetsOf } from '../targets.ts'
import { boundBy } from '../work.ts'
import type { GpuCounts } from './counts.ts'
import { gpuWorks } from './works.ts'

const counted =
  (what: keyof GpuCounts, which: (name: string) => boolean): Target['read'] =>
  ({ gpuCounts = {} }) =>
    Object.entries(gpuCounts).flatMap(([name, counts]) =>
      which(name) ? [{ of: name, value: counts[what] }] : [],
    )

const isStep = (name: string): boolean => name.startsWith('train-')
const isChain = (name: string): boolean => name.startsWith('multiply-add-')

/** Targets that hold on every adapter. */
export const gpuCountTargets: readonly Target[] = targetsOf([
  [
    'counts',
    [
      ['submits of a training step', { atMost: 1 }, counted('submits', isStep)],
      ['bytes read back in a training step: its loss', { atMost: 4 }, counted('readBytes', isStep)],
      [
        'bytes read back where nothing is fetched',
        { atMost: 0 },
        counted('readBytes', (name) => !isStep(name)),
      ],
      [
        'dispatches of the LeNet step',
        { atMost: 40 },
        counted('dispatches', (name) => name.startsWith('train-lenet-')),
      ],
      ['dispatches of an element-wise chain', { atMost: 1 }, counted('dispatches', isChain)],
    ],
  ],
])

const peers = ['tfjs-webgpu', 'onnxruntime-webgpu']
const streaming = gpuWorks.filter((work) => boundBy(work) === 'memory').map(({ name }) => name)
const large = ['matmul-1024', 'matmul-2048', 'matmul-4096']
const convolving = gpuWorks.filter(({ kind }) => kind === 'conv').map(({ name }) => name)

const timed: Grouped = [
  [
    'on the GPU',
    [
      [
        'element-wise chains, rows and sums, of the copy bandwidth',
        { atLeast: 0.7 },
        compared('times as fast', 'shoal, kernels', 'copy', streaming),
      ],
      [
        'matmul 2048, of the FMA peak',
        { atLeast: 0.5 },
        compared('times as fast', 'shoal, kernels', 'fma peak', ['matmul-2048']),
      ],
    ],
  ],
  [
    'as fast as the best JavaScript peer, all in Chromium',
    [
      ['matmul', { atLeast: 2 }, compared('times as fast', 'shoal, Chromium', peers, large), '×'],
      [
        'element-wise chains, rows and sums',
        { atLeast: 2 },
        compared('times as fast', 'shoal, Chromium', peers, streaming),
        '×',
      ],
      ['convolutions', { atLeast: 2 }, compared('times as fast', 'shoal, Chromium', peers, convolving), '×'],
      [
        'training steps',
        { atLeast: 2 },
        compared('times as fast', 'shoal, Chromium', peers, steps('mlp', 'lenet', 'lstm', 'logistic')),
        '×',
      ],
    ],
  ],
]

/** All targets of a run on a GPU. */
export const gpuTargets: readonly Target[] = [...gpuCountTargets, ...targetsOf(timed)]
