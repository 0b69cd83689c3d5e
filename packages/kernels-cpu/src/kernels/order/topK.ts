// TopK, and with it Sort: lines along the last axis, by insertion where few are wanted and by piles where many are.
import type { Signature } from '@shoal/core'
import { dtypes, sizeOf } from '@shoal/core'
import type { Stage } from '../../stage.ts'
import { call, i32, i64, type ModuleBuilder, select, type Func } from '../../wasm/index.ts'
import { type KernelDef, signatureKey } from '../kernelDef.ts'
import { move } from '../move.ts'
import { type Shares, sharesOf } from '../shares.ts'
import { inBlocks } from './blocks.ts'
import { writeInsertion } from './insertion.ts'
import { radixBytes, writeRadixSort } from './radix.ts'
import { type Records, recordsOf } from './record.ts'

/** How many are wanted at most for insertion: on average half of the list is moved for each one that is inserted. */
const few = 64
/** Bytes of the memory of all tasks together, if more than one are to have any. */
const mostScratch = 2 ** 26

/** The first `k` elements of every line in order, and their indices. */
export const topK: KernelDef = {
  op: 'TopK',
  supports: () => true,
  compile(signature, options) {
    const plan = planOf(signature)
    return {
      workspaceBytes: plan.tasks * plan.scratch,
      write: (module) =>
        module.once(signatureKey('TopK', signature, options), () =>
          plan.tasks === 0 ? [] : [writeTopK(module, signature, plan)],
        ),
    }
  },
}

interface Plan extends Shares {
  readonly records: Records
  readonly size: number
  readonly k: number
  readonly lines: number
  readonly insertion: boolean
  /** Bytes of one task's memory. */
  readonly scratch: number
}

function planOf({ inputs, attrs }: Signature): Plan {
  const { dtype, shape } = inputs[0]!
  const size = shape.at(-1)!
  const k = Number(attrs['k'])
  const records = recordsOf(dtype, attrs['largest'] === true)
  const lines = k === 0 ? 0 : sizeOf(shape.slice(0, -1))
  const insertion = k <= few
  const needed = insertion ? k * records.bytes : radixBytes(records, size)
  const scratch = Math.ceil(needed / 64) * 64
  const most = Math.max(1, Math.floor(mostScratch / Math.max(1, scratch)))
  return { records, size, k, lines, insertion, scratch, ...sharesOf(lines, most) }
}

function writeTopK(module: ModuleBuilder, { inputs, outputs, attrs }: Signature, plan: Plan): Stage {
  const { records, size, k, lines, insertion, scratch, share, tasks } = plan
  const { dtype } = inputs[0]!
  const { bytes } = dtypes[dtype]
  const descending = attrs['largest'] === true
  const indexBytes = dtypes[outputs[1]!.dtype].bytes
  const order = insertion
    ? writeInsertion(module, { dtype, descending, size, k })
    : writeRadixSort(module, records, size, bytes)
  const take = writeTake(module, records, bytes, indexBytes)
  const types = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const
  const func = module.define('topK', types, 'none', (f, x, values, indices, workspace, begin, end) => {
    const memory = f.let(i32.add(workspace, i32.mul(begin, scratch)))
    const beyond = f.let(i32.mul(end, share))
    const last = select(i32.lt_u(beyond, lines), beyond, i32.const(lines))
    f.forRange(i32.mul(begin, share), last, 1, (line) => {
      const from = f.let(i32.add(x, i32.mul(line, size * bytes)))
      const ordered = f.let(memory)
      if (order.result === 'i32') f.set(ordered, call(order, from, memory))
      else f.do(call(order, from, memory))
      const value = f.let(i32.add(values, i32.mul(line, k * bytes)))
      const index = f.let(i32.add(indices, i32.mul(line, k * indexBytes)))
      inBlocks(f, k, (first, beyond) => f.do(call(take, ordered, from, value, index, first, beyond)))
    })
  })
  return { func, units: tasks, work: share * size * (insertion ? 1 : 2 * (1 + records.rankBytes)) }
}

/** Writes the elements and the indices of records [begin, end). */
function writeTake(
  module: ModuleBuilder,
  records: Records,
  bytes: number,
  indexBytes: number,
): Func<readonly ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'], 'none'> {
  const types = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const
  return module.define('take', types, 'none', (f, list, line, values, indices, begin, end) => {
    f.forRange(begin, end, 1, (i) => {
      const index = f.let(i32.load(i32.add(list, i32.mul(i, records.bytes))))
      const from = f.let(i32.add(line, i32.mul(index, bytes)))
      move(f, f.let(i32.add(values, i32.mul(i, bytes))), from, bytes)
      const to = i32.add(indices, i32.mul(i, indexBytes))
      f.do(indexBytes === 8 ? i64.store(to, i64.extend_i32_u(index)) : i32.store(to, index))
    })
  })
}
