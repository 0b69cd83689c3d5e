// Works that stand in one table and one chart.
import type { Work } from './work.ts'

/** A family of works. */
export interface Family {
  readonly name: string
  readonly title: string
  readonly holds: (work: Work) => boolean
  /** What the bars of its chart tell; undefined for no chart. */
  readonly chart?: 'GFLOP/s' | 'speed'
}

/** All families, in the order of the page; every work is in one. */
export const families: readonly Family[] = [
  {
    name: 'matmul',
    title: 'Matrix products',
    holds: (work) => work.kind === 'matmul' && !work.transposeA && !work.transposeB,
    chart: 'GFLOP/s',
  },
  {
    name: 'transposed',
    title: 'Matrix products, transposed',
    holds: (work) => work.kind === 'matmul' && (work.transposeA || work.transposeB),
  },
  {
    name: 'convolution',
    title: 'Convolutions',
    holds: ({ kind }) => kind === 'conv' || kind === 'depthwise',
    chart: 'GFLOP/s',
  },
  {
    name: 'elementwise',
    title: 'Element-wise chains, rows and sums',
    holds: ({ kind }) => ['multiplyAdd', 'gatedSum', 'softmax', 'layerNorm', 'sum'].includes(kind),
    chart: 'speed',
  },
  { name: 'training', title: 'Training steps', holds: ({ kind }) => kind === 'train', chart: 'speed' },
  {
    name: 'inference',
    title: 'Inference and dispatch',
    holds: ({ kind }) => kind === 'infer' || kind === 'adds',
    chart: 'speed',
  },
]
