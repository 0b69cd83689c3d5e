// TensorScatter: a copy of x, then the places that the index tuples name, then the updates one after the other, so that the order never depends on threads.
import type { ConcreteType, Signature } from '@shoal/core'
import { dtypes, sizeOf } from '@shoal/core'
import { isFloat } from '../lower/representation.ts'
import type { Arithmetic, Writer } from '../lower/scalar.ts'
import type { Stage } from '../stage.ts'
import { call, type Func, i32, type Local, memory, type ModuleBuilder, select } from '../wasm/index.ts'
import { alongElements, elementAt } from './elements.ts'
import { type KernelDef, type KernelOptions, signatureKey } from './kernelDef.ts'
import { move } from './move.ts'
import { type Tuples, tuplesOf } from './tuples.ts'

type Address = Local<'i32'>
/** x, indices, updates, out, the places of the tuples, and the range. */
type Parameters = [Address, Address, Address, Address, Address, Address, Address]
type Update = 'set' | 'add' | 'sub' | 'mul' | 'min' | 'max'

/** Bytes of x that are copied as one unit. */
const copyBlock = 65536
/** Groups of places that threads may share, and slices of fewer elements than make that worthwhile. */
const groups = 4
const narrow = 16
/** 2^32 divided by the golden ratio: multiples of it are spread evenly. */
const golden = 0x9e3779b1
/** Tuples that one call goes through: short calls come to the optimised code soon. */
const span = 1024
/** The place of tuples that are out of range. */
const nowhere = -1

/** x with slices that index tuples name set to updates, or combined with them, in the order of the tuples. */
export const tensorScatter: KernelDef = {
  op: 'TensorScatter',
  supports: () => true,
  compile: (signature, options) => ({
    workspaceBytes: 4 * tuplesOf(signature.inputs[0]!, signature.inputs[1]!).count,
    write: (module) =>
      module.once(signatureKey('TensorScatter', signature, options), () =>
        writeScatter(module, signature, options),
      ),
  }),
}

function writeScatter(module: ModuleBuilder, { inputs, attrs }: Signature, options: KernelOptions): Stage[] {
  const [x, indices] = inputs as readonly [ConcreteType, ConcreteType]
  const tuples = tuplesOf(x, indices)
  const copying = copyStage(module, sizeOf(x.shape) * dtypes[x.dtype].bytes, tuples.count)
  if (tuples.count === 0 || sizeOf(x.shape) === 0) return [copying]
  const update = updateStage(module, x, tuples, attrs['update'] as Update, options)
  return [copying, placeStage(module, dtypes[x.dtype].bytes, tuples), update]
}

/** Without tuples there is no memory for places. */
const parameters = (count: number) =>
  Array.from({ length: count === 0 ? 6 : 7 }, () => 'i32' as const) as readonly 'i32'[]

function copyStage(module: ModuleBuilder, bytes: number, count: number): Stage {
  const func = module.define('scatter_copy', parameters(count), 'none', (f, ...locals) => {
    const [from, , , to] = locals as Parameters
    const [begin, end] = locals.slice(-2) as [Address, Address]
    // A variable is changed in place.
    f.if(i32.ne(from, to), () => {
      const first = f.let(i32.mul(begin, copyBlock))
      const beyond = f.let(i32.mul(end, copyBlock))
      const last = select(i32.lt_u(beyond, bytes), beyond, i32.const(bytes))
      f.do(memory.copy(i32.add(to, first), i32.add(from, first), i32.sub(last, first)))
    })
  })
  return { func, units: Math.ceil(bytes / copyBlock), work: copyBlock / 16 }
}

/** Writes for each tuple the byte at which its slice begins. */
function placeStage(module: ModuleBuilder, bytes: number, { count, at }: Tuples): Stage {
  const func = module.define('scatter_places', parameters(count), 'none', (f, ...locals) => {
    const [, indices, , , places, begin, end] = locals as Parameters
    f.forRange(begin, end, 1, (n) => {
      const { first, inside } = at(f, indices, n)
      const place = select(inside, i32.mul(first, bytes), i32.const(nowhere))
      f.do(i32.store(i32.add(places, i32.mul(n, 4)), place))
    })
  })
  return { func, units: count, work: 4 }
}

/** Units are groups of places, told apart by a hash: every unit goes through all tuples in order, so that each place sees its updates in order. */
function updateStage(
  module: ModuleBuilder,
  { dtype }: ConcreteType,
  { count, width }: Tuples,
  update: Update,
  options: KernelOptions,
): Stage {
  // Narrow slices are done sooner than other groups' are passed over.
  const units = width < narrow ? 1 : groups
  const run = writeRun(module, dtype, width, update, units, options)
  const func = module.define('scatter_update', parameters(count), 'none', (f, ...locals) => {
    const [, , updates, out, places, begin, end] = locals as Parameters
    f.forRange(0, count, span, (n) => {
      const next = f.let(i32.add(n, span))
      const stop = select(i32.lt_u(next, count), next, i32.const(count))
      f.do(call(run, updates, out, places, n, stop, begin, end))
    })
  })
  return { func, units, work: (count * width) / units / 2 + count }
}

/** Applies updates [begin, end) to the places of groups [first, last). */
function writeRun(
  module: ModuleBuilder,
  dtype: ConcreteType['dtype'],
  width: number,
  update: Update,
  units: number,
  { relaxed }: KernelOptions,
): Func<readonly ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'], 'none'> {
  const row = width * dtypes[dtype].bytes
  const types = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const
  return module.define('scatter_run', types, 'none', (f, updates, out, places, begin, end, first, last) => {
    const writer: Writer = { module, f, relaxed }
    const some = f.let(i32.sub(last, first))
    f.forRange(begin, end, 1, (n) => {
      const place = f.let(i32.load(i32.add(places, i32.mul(n, 4))))
      const group = i32.shr_u(i32.mul(place, golden), 32 - Math.log2(groups))
      const mine = units === 1 ? i32.const(1) : i32.lt_u(i32.sub(group, first), some)
      f.if(i32.and(i32.ne(place, nowhere), mine), () => {
        const to = f.let(i32.add(out, place))
        const from = f.let(i32.add(updates, i32.mul(n, row)))
        if (update === 'set') move(f, to, from, row)
        else combineSlice(writer, dtype, update, to, from, width)
      })
    })
  })
}

/** Combines a slice with its updates. */
function combineSlice(
  writer: Writer,
  dtype: ConcreteType['dtype'],
  update: Exclude<Update, 'set'>,
  to: Address,
  from: Address,
  width: number,
): void {
  alongElements(writer, width, ({ arithmetic, load, store }, i) => {
    const place = elementAt(writer, dtype, to, i)
    const came = load(dtype, elementAt(writer, dtype, from, i))
    store(dtype, place, changed(arithmetic, update, load(dtype, place), came, dtype))
  })
}

/** The new value of an element. NaN is both the least and the greatest, whichever side it comes from. */
function changed<V>(
  { binary, compare, select: choose }: Arithmetic<V>,
  update: Exclude<Update, 'set'>,
  old: V,
  came: V,
  stored: ConcreteType['dtype'],
): V {
  const dtype = dtypes[stored].compute
  if (update !== 'min' && update !== 'max') return binary[update](old, came, dtype)
  const beyond = update === 'min' ? compare.lt(came, old, dtype) : compare.lt(old, came, dtype)
  const better = isFloat(dtype) ? binary.or(beyond, compare.ne(came, came, dtype), 'bool') : beyond
  return choose(better, came, old, dtype)
}
