// What Shoal is to reach, as data: each target says what is looked at, and the full run puts what was measured beside it.
import type { AgentResults } from './agents/targets.ts'
import type { Comparison } from './compare.ts'
import type { Book, Counts } from './counts.ts'
import type { WireResults } from './distributed/measure.ts'
import type { Quantity } from './quantity.ts'
import type { ScalingResults } from './scaling/measure.ts'
import { ratio, summary } from './statistics.ts'
import type { GpuBook } from './webgpu/counts.ts'

/** All that a full run has measured. */
export interface Results {
  readonly comparisons: readonly Comparison[]
  readonly quantities: readonly Quantity[]
  /** Of a full run. */
  readonly counts?: Book
  /** Of a run on webgpu. */
  readonly gpuCounts?: GpuBook
  /** Of a run between processes. */
  readonly wire?: WireResults
  /** Of a run in simulation. */
  readonly scaling?: ScalingResults
  /** Of a run of agents. */
  readonly agents?: AgentResults
}

/** One number that a target is held against. */
export interface Reading {
  /** Of what, where a target has several. */
  readonly of: string
  readonly value: number
}

/** Something to reach. */
export interface Target {
  readonly group: string
  readonly says: string
  readonly bound: { readonly atLeast: number } | { readonly atMost: number }
  readonly unit?: string
  /** What was measured; empty when it was not. */
  read(results: Results): readonly Reading[]
}

/** Is the number as it should be? */
export const meets = (bound: Target['bound'], value: number): boolean =>
  'atLeast' in bound ? value >= bound.atLeast : value <= bound.atMost

const javaScriptPeers = ['tfjs-cpu', 'tfjs-wasm', 'jax-js', 'onnxruntime-web']

/** Of how a side compares with another, on works by name. `how` tells what the number is. */
export const compared =
  (
    how: 'times as fast' | 'times as long',
    side: string,
    against: string | readonly string[],
    works: readonly string[],
  ): Target['read'] =>
  ({ comparisons }) =>
    works.flatMap((name) => {
      const samples = comparisons.find(({ work }) => work.name === name)?.samples
      const ours = samples?.get(side)
      const candidates = [against].flat().flatMap((each) => {
        const theirs = samples?.get(each)
        return theirs ? [theirs] : []
      })
      const [best] = candidates.toSorted((a, b) => summary(a).median - summary(b).median)
      if (!ours || !best) return []
      const found = how === 'times as fast' ? ratio(best, ours) : ratio(ours, best)
      return found ? [{ of: name, value: found.median }] : []
    })

const quantity =
  (name: string): Target['read'] =>
  ({ quantities }) =>
    quantities.filter((each) => each.name === name).map(({ value }) => ({ of: '', value: value.median }))

/** Milliseconds of a work, times a factor. */
const timed =
  (side: string, work: string, factor: number): Target['read'] =>
  ({ comparisons }) => {
    const samples = comparisons.find((each) => each.work.name === work)?.samples.get(side)
    return samples ? [{ of: '', value: summary(samples).median * factor }] : []
  }

const counted =
  (what: keyof Counts, names: readonly string[]): Target['read'] =>
  ({ counts }) =>
    names.flatMap((name) => (counts?.[name] ? [{ of: name, value: counts[name][what] }] : []))

const small = ['matmul-64', 'matmul-128', 'matmul-256', 'matmul-512']
const large = ['matmul-1024', 'matmul-2048']
const odd = ['matmul-37', 'matmul-250', 'matmul-509']
const transposed = [128, 512].flatMap((n) => ['-ta', '-tb', '-ta-tb'].map((form) => `matmul-${n}${form}`))
const convolutions = ['conv-32x28x1-5x32', 'conv-32x14x32-5x64', 'conv-8x56x64-3x64']
const toInput = convolutions.map((name) => `${name}-toInput`)
const toFilter = convolutions.map((name) => `${name}-toFilter`)
const rowWorks = ['softmax', 'layerNorm', 'sum-axis0', 'sum-axis1']
/** The training steps of some models. */
export const steps = (...models: readonly string[]): string[] =>
  models.flatMap((model) => [`train-${model}-32`, `train-${model}-128`])
const predictions = ['infer-mlp', 'infer-lenet']

/** One target of a group. */
export type Row = readonly [says: string, bound: Target['bound'], read: Target['read'], unit?: string]

/** Targets by group. */
export type Grouped = readonly (readonly [group: string, rows: readonly Row[]])[]

const grouped: Grouped = [
  [
    'matmul',
    [
      [
        '64 to 512, of the FMA peak',
        { atLeast: 0.85 },
        compared('times as fast', 'shoal', 'fma peak', small),
      ],
      [
        '1024 and 2048, of the FMA peak',
        { atLeast: 0.8 },
        compared('times as fast', 'shoal', 'fma peak', large),
      ],
      ['odd sizes, of the FMA peak', { atLeast: 0.75 }, compared('times as fast', 'shoal', 'fma peak', odd)],
      [
        'multiply and add apart, of their peak',
        { atLeast: 0.92 },
        compared('times as fast', 'shoal, strict', 'multiply+add peak', [...small, ...large]),
      ],
      [
        'as fast as tfjs-wasm',
        { atLeast: 1.9 },
        compared('times as fast', 'shoal', 'tfjs-wasm', [...small, ...large]),
        '×',
      ],
      [
        'as fast as onnxruntime-web',
        { atLeast: 1.9 },
        compared('times as fast', 'shoal', 'onnxruntime-web', [...small, ...large]),
        '×',
      ],
      [
        'transposed forms, of the plain one',
        { atLeast: 0.95 },
        compared('times as fast', 'shoal', 'shoal, plain matmul', transposed),
      ],
    ],
  ],
  [
    'convolution',
    [
      [
        'forward, of the matmul rate',
        { atLeast: 0.9 },
        compared('times as fast', 'shoal', 'shoal, matmul rate', convolutions),
      ],
      [
        'to the input, of the matmul rate',
        { atLeast: 0.9 },
        compared('times as fast', 'shoal', 'shoal, matmul rate', toInput),
      ],
      [
        'to the filter, of the matmul rate',
        { atLeast: 0.8 },
        compared('times as fast', 'shoal', 'shoal, matmul rate', toFilter),
      ],
      [
        'forward, as fast as tfjs-wasm',
        { atLeast: 2 },
        compared('times as fast', 'shoal', 'tfjs-wasm', convolutions),
        '×',
      ],
      [
        'to the input, as fast as tfjs-wasm',
        { atLeast: 20 },
        compared('times as fast', 'shoal', 'tfjs-wasm', toInput),
        '×',
      ],
    ],
  ],
  [
    'element-wise',
    [
      ['kernels of a chain', { atMost: 1 }, counted('kernels', ['multiply-add-1e6', 'gated-sum-1e6'])],
      [
        'a·b+c, of memory.copy',
        { atLeast: 0.9 },
        compared('times as fast', 'shoal', 'memory.copy', ['multiply-add-1e6', 'multiply-add-1e7']),
      ],
      ...(
        [
          ['tfjs-wasm', 8],
          ['onnxruntime-web', 3],
          ['onnxruntime-node', 1],
        ] as const
      ).map(
        ([peer, atLeast]): Row => [
          `sum(tanh(a·b+c)·sigmoid(d)) over 1e6, as fast as ${peer}`,
          { atLeast },
          compared('times as fast', 'shoal', peer, ['gated-sum-1e6']),
          '×',
        ],
      ),
    ],
  ],
  [
    'training, best JavaScript peer',
    [
      [
        'MLP, batch 32',
        { atLeast: 3 },
        compared('times as fast', 'shoal', javaScriptPeers, ['train-mlp-32']),
        '×',
      ],
      [
        'MLP, batch 128',
        { atLeast: 2.5 },
        compared('times as fast', 'shoal', javaScriptPeers, ['train-mlp-128']),
        '×',
      ],
      ['LSTM', { atLeast: 4 }, compared('times as fast', 'shoal', javaScriptPeers, steps('lstm')), '×'],
      [
        'logistic regression',
        { atLeast: 5 },
        compared('times as fast', 'shoal', javaScriptPeers, steps('logistic')),
        '×',
      ],
      ['LeNet', { atLeast: 100 }, compared('times as fast', 'shoal', javaScriptPeers, steps('lenet')), '×'],
    ],
  ],
  [
    'training, PyTorch on one thread',
    [
      [
        'MLP and LSTM, times as long',
        { atMost: 1.5 },
        compared('times as long', 'shoal', 'pytorch', steps('mlp', 'lstm')),
        '×',
      ],
      [
        'LeNet, times as long',
        { atMost: 1.8 },
        compared('times as long', 'shoal', 'pytorch', steps('lenet')),
        '×',
      ],
      [
        'logistic regression, times as long',
        { atMost: 0.6 },
        compared('times as long', 'shoal', 'pytorch', steps('logistic')),
        '×',
      ],
      [
        'with BLAS: MLP and LSTM, times as long',
        { atMost: 1 },
        compared('times as long', 'shoal, BLAS', 'pytorch', steps('mlp', 'lstm')),
        '×',
      ],
      [
        'with BLAS: LeNet, times as long',
        { atMost: 1.3 },
        compared('times as long', 'shoal, BLAS', 'pytorch', steps('lenet')),
        '×',
      ],
    ],
  ],
  [
    'rows',
    [
      [
        'softmax, layer norm, sums: times as long as onnxruntime-node',
        { atMost: 1 },
        compared('times as long', 'shoal', 'onnxruntime-node', rowWorks),
        '×',
      ],
    ],
  ],
  [
    'inference, batch 1',
    [
      [
        'times as long as onnxruntime-web',
        { atMost: 1 },
        compared('times as long', 'shoal', 'onnxruntime-web', predictions),
        '×',
      ],
      [
        'with BLAS: times as long as onnxruntime-node',
        { atMost: 1.5 },
        compared('times as long', 'shoal, BLAS', 'onnxruntime-node', predictions),
        '×',
      ],
    ],
  ],
  [
    'dispatch',
    [
      [
        'an op in a chain of 1,000 scalar adds',
        { atMost: 10 },
        timed('shoal', 'adds-1000', 1e6 / 1000),
        'ns',
      ],
      ['a run of a one-op graph', { atMost: 5 }, timed('shoal', 'adds-1', 1e3), 'µs'],
    ],
  ],
  [
    'threads',
    [
      ['a parallel region, back to back', { atMost: 1 }, quantity('region back to back'), 'µs'],
      ['a parallel region after a short idle', { atMost: 6 }, quantity('region after idle'), 'µs'],
      ['the longest parallel region', { atMost: 50 }, quantity('longest region'), 'µs'],
      [
        'two threads, as fast as one',
        { atLeast: 1.7 },
        compared('times as fast', 'shoal, 2 threads', 'shoal', [
          'matmul-512',
          'train-lenet-32',
          'train-lenet-128',
        ]),
        '×',
      ],
    ],
  ],
  [
    'Fashion-MNIST, MLP, batch 128',
    [
      ['one epoch with its input pipeline', { atMost: 12 }, quantity('Fashion-MNIST epoch'), 's'],
      ['accuracy after 5 epochs', { atLeast: 0.87 }, quantity('Fashion-MNIST accuracy')],
      ['resident memory', { atMost: 110 }, quantity('Fashion-MNIST memory'), 'MB'],
    ],
  ],
  [
    'memory',
    [
      [
        'MLP step: peak, of parameters, optimizer state and live activations',
        { atMost: 1.25 },
        quantity('MLP step memory'),
        '×',
      ],
    ],
  ],
  [
    'cold start',
    [
      ['first result of a bundled program, over an empty Node', { atMost: 80 }, quantity('cold start'), 'ms'],
      ['first run of a graph over 50 ms, of a steady one', { atMost: 10 }, quantity('first run'), '×'],
    ],
  ],
  [
    'compile time',
    [
      ['a graph of 1,000 nodes', { atMost: 150 }, quantity('compile 1,000 nodes'), 'ms'],
      ['10,000 nodes, of n log n from 1,000', { atMost: 1 }, quantity('compile growth'), '×'],
    ],
  ],
  [
    'int8',
    [
      [
        'matmul, as fast as float32',
        { atLeast: 1.1 },
        compared('times as fast', 'shoal, int8', 'shoal', ['matmul-256', 'matmul-512', 'matmul-1024']),
        '×',
      ],
    ],
  ],
]

/** Targets as one list. */
export const targetsOf = (groups: Grouped): readonly Target[] =>
  groups.flatMap(([group, rows]) =>
    rows.map(([says, bound, read, unit]) => ({ group, says, bound, read, ...(unit && { unit }) })),
  )

/** All targets, in the order of the table. */
export const targets: readonly Target[] = targetsOf(grouped)
