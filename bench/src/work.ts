// What is measured: each work is plain data that every contender can read, so that all of them do the same thing with the same sizes.

/** The models that are trained and asked for predictions; see models.ts. */
export type ModelName = 'mlp' | 'lenet' | 'lstm' | 'logistic'

/** What a contender is to do; sizes are numbers of elements, images are [batch, size, size, channels]. */
export type Task =
  /** a · b of n × n matrices; either may be given transposed. Of float16 the sums are held in 32 bits. */
  | {
      readonly kind: 'matmul'
      readonly n: number
      readonly dtype: 'float32' | 'float16'
      readonly transposeA: boolean
      readonly transposeB: boolean
    }
  /** a · b + c, element by element. */
  | { readonly kind: 'multiplyAdd'; readonly length: number }
  /** The sum of tanh(a · b + c) · sigmoid(d). */
  | { readonly kind: 'gatedSum'; readonly length: number }
  | { readonly kind: 'softmax'; readonly rows: number; readonly columns: number }
  /** With scale and offset for each column, epsilon 1e-5. */
  | { readonly kind: 'layerNorm'; readonly rows: number; readonly columns: number }
  | { readonly kind: 'sum'; readonly rows: number; readonly columns: number; readonly axis: 0 | 1 }
  | ConvTask
  /** The forward pass of a depthwise convolution with multiplier 1, stride 1 and SAME padding. */
  | {
      readonly kind: 'depthwise'
      readonly batch: number
      readonly size: number
      readonly channels: number
      readonly window: number
    }
  /** One training step with a batch that comes from the host, and its loss read back. */
  | { readonly kind: 'train'; readonly model: ModelName; readonly batch: number }
  /** Probabilities for a batch that comes from the host, read back. */
  | { readonly kind: 'infer'; readonly model: ModelName; readonly batch: number }
  /** A chain of additions of a scalar that comes from the host, each an op of its own, read back. */
  | { readonly kind: 'adds'; readonly length: number }

/** One of the three passes of a convolution, stride 1 and SAME padding. */
export interface ConvTask {
  readonly kind: 'conv'
  readonly pass: 'forward' | 'toInput' | 'toFilter'
  readonly batch: number
  readonly size: number
  readonly channels: number
  readonly window: number
  readonly filters: number
}

/** A task with its name, and what it costs at least. */
export type Work<T extends Task = Task> = T & {
  /** What it is asked for by on the command line. */
  readonly name: string
  readonly title: string
  /** Multiplications and additions; 0 where arithmetic is not what it costs. */
  readonly flops: number
  /** Bytes of its operands and results, each counted once. */
  readonly bytes: number
}

/** The dtype of a task's operands and answer. */
export const dtypeOf = (task: Task): 'float32' | 'float16' =>
  task.kind === 'matmul' ? task.dtype : 'float32'

/** What a work takes its time with; undefined where it is neither. */
export const boundBy = ({ flops, bytes, kind }: Work): 'arithmetic' | 'memory' | undefined =>
  flops > 0 && kind !== 'multiplyAdd' ? 'arithmetic' : bytes > 0 ? 'memory' : undefined

const float = 4

/** The product of two n × n matrices. */
export function matmul(
  n: number,
  {
    transposeA = false,
    transposeB = false,
    dtype = 'float32',
  }: Partial<Omit<Extract<Task, { kind: 'matmul' }>, 'kind' | 'n'>> = {},
): Work {
  const half = dtype === 'float16'
  return {
    kind: 'matmul',
    n,
    dtype,
    transposeA,
    transposeB,
    name: `matmul-${n}${half ? '-float16' : ''}${transposeA ? '-ta' : ''}${transposeB ? '-tb' : ''}`,
    title: `matmul ${n}${half ? ', float16' : ''}${transposeA ? ', a transposed' : ''}${transposeB ? ', b transposed' : ''}`,
    flops: 2 * n ** 3,
    bytes: 3 * (half ? 2 : float) * n * n,
  }
}

/** The passes of one convolution. @param sizes batch, size, channels, window and filters */
export const convolutions = (sizes: readonly number[]): Work[] =>
  (['forward', 'toInput', 'toFilter'] as const).map((pass) => conv(pass, sizes))

function conv(pass: ConvTask['pass'], [batch, size, channels, window, filters]: readonly number[]): Work {
  const task = {
    batch: batch!,
    size: size!,
    channels: channels!,
    window: window!,
    filters: filters!,
  }
  const pixels = batch! * size! ** 2
  const to = { forward: '', toInput: ', to the input', toFilter: ', to the filter' }[pass]
  return {
    kind: 'conv',
    pass,
    ...task,
    name: `conv-${batch}x${size}x${channels}-${window}x${filters}${pass === 'forward' ? '' : `-${pass}`}`,
    title: `convolution ${batch}×${size}×${size}×${channels}, ${window}×${window}×${filters}${to}`,
    flops: 2 * pixels * window! ** 2 * channels! * filters!,
    bytes: float * (pixels * (channels! + filters!) + window! ** 2 * channels! * filters!),
  }
}

const named = <T extends Task>(
  task: T,
  name: string,
  title: string,
  cost: { readonly flops?: number; readonly bytes?: number } = {},
): Work => ({ ...task, name, title, flops: 0, bytes: 0, ...cost }) as Work

const thousands = (n: number): string => `1e${Math.log10(n)}`

/** a · b + c over so many elements. */
export const multiplyAdd = (length: number): Work =>
  named(
    { kind: 'multiplyAdd', length },
    `multiply-add-${thousands(length)}`,
    `a·b+c over ${thousands(length)}`,
    { flops: 2 * length, bytes: 4 * float * length },
  )

/** The sum of tanh(a · b + c) · sigmoid(d) over so many elements. */
export const gatedSum = (length: number): Work =>
  named(
    { kind: 'gatedSum', length },
    `gated-sum-${thousands(length)}`,
    `sum(tanh(a·b+c)·sigmoid(d)) over ${thousands(length)}`,
    { bytes: 4 * float * length },
  )

/** Softmax, or layer norm, of each row of a matrix. */
export const ofRows = (kind: 'softmax' | 'layerNorm', m: number, n: number): Work =>
  named({ kind, rows: m, columns: n }, kind, `${kind === 'softmax' ? 'softmax' : 'layer norm'} ${m}×${n}`, {
    bytes: 2 * float * m * n,
  })

/** The sums of a matrix over each of its axes. */
export const sums = (rows: number, columns: number): Work[] =>
  ([0, 1] as const).map((axis) =>
    named(
      { kind: 'sum', rows, columns, axis },
      `sum-axis${axis}`,
      `sum of ${rows}×${columns} over axis ${axis}`,
      { bytes: float * rows * columns },
    ),
  )

/** One training step of a model. */
export const trainingStep = (model: ModelName, batch: number): Work =>
  named(
    { kind: 'train', model, batch },
    `train-${model}-${batch}`,
    `training step, ${titles[model]}, batch ${batch}`,
  )

const depthwise = { kind: 'depthwise', batch: 8, size: 56, channels: 128, window: 3 } as const
const depthwiseElements = depthwise.batch * depthwise.size ** 2 * depthwise.channels

const titles: { readonly [name in ModelName]: string } = {
  mlp: 'MLP 784-512-256-10',
  lenet: 'LeNet',
  lstm: 'LSTM 128 over 28×28',
  logistic: 'logistic regression 784-10',
}

/** The models, in the order of the tables. */
export const modelNames: readonly ModelName[] = ['mlp', 'lenet', 'lstm', 'logistic']

/** The convolutions of the tables. */
export const convolutionSizes: readonly (readonly number[])[] = [
  [32, 28, 1, 5, 32],
  [32, 14, 32, 5, 64],
  [8, 56, 64, 3, 64],
]

/** All works, in the order of the tables. */
export const works: readonly Work[] = [
  ...[64, 128, 256, 512, 1024, 2048].map((n) => matmul(n)),
  ...[37, 250, 509].map((n) => matmul(n)),
  ...[128, 512].flatMap((n) => [
    matmul(n, { transposeA: true }),
    matmul(n, { transposeB: true }),
    matmul(n, { transposeA: true, transposeB: true }),
  ]),
  ...[1e6, 1e7].map(multiplyAdd),
  ...[1e6, 1e7].map(gatedSum),
  ofRows('softmax', 1024, 1000),
  ofRows('layerNorm', 1024, 768),
  ...sums(4096, 1024),
  ...convolutionSizes.flatMap(convolutions),
  named(depthwise, 'depthwise', 'depthwise convolution 8×56×56×128, 3×3', {
    flops: 2 * depthwiseElements * depthwise.window ** 2,
    bytes: 2 * float * depthwiseElements,
  }),
  ...modelNames.flatMap((model) => [32, 128].map((batch) => trainingStep(model, batch))),
  ...(['mlp', 'lenet'] as const).map((model) =>
    named({ kind: 'infer', model, batch: 1 }, `infer-${model}`, `inference, ${titles[model]}, batch 1`),
  ),
  named({ kind: 'adds', length: 1000 }, 'adds-1000', 'chain of 1,000 scalar adds'),
  named({ kind: 'adds', length: 1 }, 'adds-1', 'one scalar add'),
]
