// Random graphs: a device that fuses what it can must compute, step after step, what the reference device computes op by op.
import type { Device, Feeds, NDArray } from '@shoal/core'
import { NDArray as HostArray, reference, Session, sizeOf } from '@shoal/core'
import { expectClose } from '../compare.ts'
import { Random } from '../random.ts'
import { tolerances } from '../tolerance.ts'
import type { RandomGraph } from './randomGraph.ts'
import { randomGraph, uniform } from './randomGraph.ts'

/** Steps with other feeds each; what one leaves in the variables, the next one reads. */
const steps = 3

/**
 * Runs the random graph number `seed` on devices with fusion and on the reference device without.
 * @throws AssertionError with the seed, the step and the tensor, when they differ by more than the operations allow.
 */
export async function checkRandomGraph(devices: readonly Device[], seed: number): Promise<void> {
  const graph = randomGraph(new Random(`graph ${seed}`))
  const expected = await runSteps(new Session({ devices: [reference()], fusion: false }), graph, seed)
  const actual = await runSteps(new Session({ devices }), graph, seed)
  const compared = [...graph.fetches, ...graph.variables.map((v) => v.read())]
  const at = tolerances({ fetches: compared, targets: [] })
  expected.forEach((values, step) =>
    values.forEach((value, i) => {
      const { units, cancels } = at(compared[i]!)
      const what = `graph ${seed}, step ${step}, ${compared[i]!.name}`
      expectClose(what, actual[step]![i]!, value, { units: units * (step + 1), cancels })
    }),
  )
}

/** The fetches of each step, and all variables after it. */
async function runSteps(session: Session, graph: RandomGraph, seed: number): Promise<NDArray[][]> {
  const stream = new Random(`feeds ${seed}`)
  const { fetches, variables } = graph
  try {
    await session.initialize(fetches, variables)
    const all: NDArray[][] = []
    for (let step = 0; step < steps; step++) {
      const values = await session.run(fetches, feedsOf(graph, stream))
      all.push([...values, ...(await session.run(variables))])
    }
    return all
  } finally {
    await session.close()
  }
}

const feedsOf = ({ feeds }: RandomGraph, stream: Random): Feeds =>
  feeds.map((t) => {
    const shape = t.shape as readonly number[]
    if (t.dtype !== 'int32') return [t, uniform(stream, shape)] as const
    const counts = Int32Array.from({ length: sizeOf(shape) }, () => stream.integer(0, 5))
    return [t, new HostArray('int32', shape, counts)] as const
  })
