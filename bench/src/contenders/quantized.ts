// Matrix products of bytes: as many multiplications as the float32 works have, exact, and held to the reference device bit by bit.
import type { Variable } from '@shoal/core'
import { fill, NDArray, quantizedMatmul, reference, Session, variable } from '@shoal/core'
import { cpu } from '@shoal/kernels-cpu'
import type { Contender } from '../contender.ts'
import { sideOf } from '../contender.ts'
import { operandsOf } from '../values.ts'
import type { Work } from '../work.ts'

const rowsForReference = 4

/** Shoal's int8 matrix products, on the works that multiply square float32 matrices. */
export const quantizedMatmuls = (version: string): Contender => ({
  name: 'shoal, int8',
  version,
  async prepare(work) {
    if (work.kind !== 'matmul' || work.transposeA || work.transposeB || work.n < 256) return undefined
    const [x, weights] = bytesOf(work)
    const session = new Session({ devices: [cpu({ threads: 1 })] })
    const product = quantizedMatmul(x, weights)
    const kept = variable(fill({ shape: [work.n, work.n], dtype: 'int32' }))
    const run = kept.assign(product).node
    await session.initialize(product, run)
    const answer = (await session.run(product)).data as Int32Array
    await demandEqual(work.n, x, weights, answer)
    return sideOf({
      run: () => session.runSync(run),
      result: async () => new Float32Array(),
      close: () => session.close(),
    })
  },
})

/** The operands of a work as bytes: activations 0…127, weights -128…127. */
function bytesOf(work: Work): [x: Variable, weights: Variable] {
  const { a, b } = operandsOf(work)
  const bytes = (data: Float32Array, scale: number, offset: number): Variable =>
    variable(
      new NDArray(
        'int8',
        a!.shape,
        Int8Array.from(data, (v) => Math.round(v * scale + offset)),
      ),
    )
  return [bytes(a!.data, 63, 64), bytes(b!.data, 127, 0)]
}

/** @throws Error when the first rows differ from what the reference device makes of them. */
async function demandEqual(n: number, x: Variable, weights: Variable, answer: Int32Array): Promise<void> {
  await using session = new Session({ devices: [reference()] })
  await session.initialize(x, weights)
  const { data } = (await session.run(x)) as NDArray<'int8'>
  const rows = new NDArray('int8', [rowsForReference, n], data.slice(0, rowsForReference * n))
  const expected = (await session.run(quantizedMatmul(rows, weights))).data as Int32Array
  const worst = expected.findIndex((value, i) => value !== answer[i])
  if (worst >= 0)
    throw new Error(`int8 product of ${n}: ${answer[worst]} at ${worst} where ${expected[worst]} is expected`)
}
