// GatherNd in every dtype: slices of bytes, copied from where index tuples say.
import type { ConcreteType, Signature } from '@shoal/core'
import { dtypes } from '@shoal/core'
import type { Stage } from '../stage.ts'
import { i32, memory, type ModuleBuilder } from '../wasm/index.ts'
import { type KernelDef, signatureKey } from './kernelDef.ts'
import { move } from './move.ts'
import { tuplesOf } from './tuples.ts'

/** Takes slices by index tuples; a tuple that is out of range gives zeros. */
export const gatherNd: KernelDef = {
  op: 'GatherNd',
  supports: () => true,
  compile: (signature, options) => ({
    workspaceBytes: 0,
    write: (module) =>
      module.once(signatureKey('GatherNd', signature, options), () => [writeGatherNd(module, signature)]),
  }),
}

function writeGatherNd(module: ModuleBuilder, { inputs }: Signature): Stage {
  const [x, indices] = inputs as readonly [ConcreteType, ConcreteType]
  const { bytes } = dtypes[x.dtype]
  const { count, width, at } = tuplesOf(x, indices)
  const row = width * bytes
  const types = ['i32', 'i32', 'i32', 'i32', 'i32'] as const
  const func = module.define('gatherNd', types, 'none', (f, from, index, to, begin, end) => {
    f.forRange(begin, end, 1, (n) => {
      const { first, inside } = at(f, index, n)
      const target = f.let(i32.add(to, i32.mul(n, row)))
      f.if(
        inside,
        () => move(f, target, f.let(i32.add(from, i32.mul(first, bytes))), row),
        () => f.do(memory.fill(target, 0, row)),
      )
    })
  })
  return { func, units: count, work: row / 16 + 8, finishes: width }
}
