// Where randomness comes from: a stream of keys that a session keeps, fixed by its seed.
import { surroundings } from '../../graph/scope.ts'
import type { Tensor } from '../../graph/graph.ts'
import { NDArray } from '../../ndarray.ts'
import { attr, defineOp } from '../../op.ts'
import type { RandomResource } from '../../resource.ts'
import { streamSeed } from '../../resource.ts'
import { threefry } from './threefry.ts'

const randomKeyOp = defineOp({
  name: 'RandomKey',
  doc: 'A key [2] that is new in every run; the seeds of the session and of the stream fix their sequence.',
  inputs: [],
  attrs: { resource: attr.resource('the stream') },
  traits: { effect: 'external' },
  infer: () => [{ dtype: 'uint32', shape: [2] }],
  body: {
    kind: 'runtime',
    role: 'host',
    run: (_, { resource }, context) => {
      const stream = context.state(resource, () => ({ drawn: 0 }))
      const count = stream.drawn++
      const key = threefry(
        [context.seed >>> 0, streamSeed(resource as RandomResource) >>> 0],
        [count >>> 0, Math.floor(count / 2 ** 32)],
      )
      return [new NDArray('uint32', [2], Uint32Array.from(key))]
    },
  },
})
/** The definition behind `randomKey`, for lists of ops. */
export const randomKeyDef = { def: randomKeyOp.def }

/**
 * A key, uint32 [2], that is new in every run: what all random ops draw from. The same seeds make the same keys in the same order.
 * @param options.seed streams with one seed draw the same keys; left out: it follows from the stream's name, which is scoped, and which a session
 * numbers where it already knows another stream of that name. So two streams of a program never draw the same, and a program that is built and run
 * again, in this process or another, draws the same again.
 */
export function randomKey({
  seed,
  name,
}: {
  readonly seed?: number | undefined
  readonly name?: string
} = {}): Tensor {
  const stream = `${surroundings().prefix}${name ?? 'random'}`
  const resource: RandomResource = { kind: 'random', name: stream, ...(seed !== undefined && { seed }) }
  return randomKeyOp({ resource, name })
}
