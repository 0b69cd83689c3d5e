// Copies of whole buffers.
import type { Stage } from '../stage.ts'
import { i32, memory, type ModuleBuilder, select } from '../wasm/index.ts'

const block = 65536

/** A kernel that copies the first bytes of its first argument to its second. */
export function copyKernel(bytes: number): (module: ModuleBuilder) => readonly Stage[] {
  return (module) =>
    module.once(`copy ${bytes}`, () => {
      const func = module.define(
        `copy_${bytes}`,
        ['i32', 'i32', 'i32', 'i32'],
        'none',
        (f, from, to, begin, end) => {
          const first = f.let(i32.mul(begin, block))
          const beyond = f.let(i32.mul(end, block))
          const last = select(i32.lt_u(beyond, bytes), beyond, i32.const(bytes))
          f.do(memory.copy(i32.add(to, first), i32.add(from, first), i32.sub(last, first)))
        },
      )
      return [{ func, units: Math.ceil(bytes / block), work: block / 16 }]
    })
}
