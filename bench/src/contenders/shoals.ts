// The ways of using Shoal that are measured, and Shoal as a yardstick of itself.
import { findBlas } from '@shoal/kernels-blas'
import { cpu } from '@shoal/kernels-cpu'
import { readFileSync } from 'node:fs'
import type { Contender } from '../contender.ts'
import { quantizedMatmuls } from './quantized.ts'
import { shoal } from './shoal.ts'
import type { Work } from '../work.ts'
import { works } from '../work.ts'

/** The version of Shoal. */
export const version = `Shoal ${
  (
    JSON.parse(readFileSync(new URL(import.meta.resolve('@shoal/kernels-cpu/package.json')), 'utf8')) as {
      version: string
    }
  ).version
}`

/** Shoal on one thread: what all ratios are taken to. */
export const plain = shoal({ name: 'shoal', version, device: () => cpu({ threads: 1 }) })

const library = findBlas()

/** Shoal in other ways, on the works where that says something. */
export const variants: readonly Contender[] = [
  shoal({
    name: 'shoal, strict',
    version,
    device: () => cpu({ threads: 1, strict: true }),
    takes: (task) => task.kind === 'matmul' && !task.transposeA && !task.transposeB,
  }),
  shoal({
    name: 'shoal, 2 threads',
    version,
    device: () => cpu({ threads: 2 }),
    takes: (task) =>
      (task.kind === 'matmul' && task.n === 512 && !task.transposeA && !task.transposeB) ||
      (task.kind === 'train' && task.model !== 'logistic'),
  }),
  ...(library
    ? [
        shoal({
          name: 'shoal, BLAS',
          version: `${version} with the ${library.name}`,
          device: () => cpu({ threads: 1, kernels: [library] }),
          takes: (task) =>
            task.kind === 'train' ||
            task.kind === 'infer' ||
            task.kind === 'conv' ||
            (task.kind === 'matmul' && !task.transposeA && !task.transposeB),
        }),
      ]
    : []),
  quantizedMatmuls(version),
  yardstick('shoal, plain matmul', (work) =>
    work.kind === 'matmul' && (work.transposeA || work.transposeB) ? matmulOf(work.n) : undefined,
  ),
  yardstick('shoal, matmul rate', (work) => (work.kind === 'conv' ? matmulOf(256) : undefined)),
]

const matmulOf = (n: number): Work => works.find(({ name }) => name === `matmul-${n}`)!

/** Another work in place of the one that is measured, scaled to its arithmetic. */
function yardstick(name: string, other: (work: Work) => Work | undefined): Contender {
  return {
    name,
    version,
    async prepare(work) {
      const measured = other(work)
      const side = measured && (await plain.prepare(measured))
      if (!side) return undefined
      return {
        sample: async (repeats) => ((await side.sample(repeats)) * work.flops) / measured.flops,
        result: async () => new Float32Array(),
        close: () => side.close(),
      }
    },
  }
}
