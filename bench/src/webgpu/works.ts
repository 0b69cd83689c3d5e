// What is measured on a GPU: the works of the CPU that say something there, in sizes that keep it busy.
import type { Work } from '../work.ts'
import {
  convolutions,
  convolutionSizes,
  gatedSum,
  matmul,
  modelNames,
  multiplyAdd,
  ofRows,
  sums,
  trainingStep,
} from '../work.ts'

/** Matrix products of both dtypes. */
const products = (sizes: readonly number[]): Work[] =>
  (['float32', 'float16'] as const).flatMap((dtype) => sizes.map((n) => matmul(n, { dtype })))

/** All works, in the order of the tables. */
export const gpuWorks: readonly Work[] = [
  ...products([512, 1024, 2048, 4096]),
  multiplyAdd(1e7),
  gatedSum(1e7),
  ofRows('softmax', 10_000, 1000),
  ofRows('layerNorm', 10_000, 1000),
  ...sums(10_000, 1000),
  ...convolutionSizes.flatMap(convolutions),
  ...modelNames.flatMap((model) => [32, 128].map((batch) => trainingStep(model, batch))),
]

/** One of each kind, so small that an adapter in software is through in a moment. */
export const smallGpuWorks: readonly Work[] = [
  ...products([64]),
  multiplyAdd(1e4),
  gatedSum(1e4),
  ofRows('softmax', 16, 100),
  ofRows('layerNorm', 16, 100),
  ...sums(64, 100),
  ...convolutions([2, 8, 4, 3, 8]),
  ...modelNames.map((model) => trainingStep(model, 2)),
]
