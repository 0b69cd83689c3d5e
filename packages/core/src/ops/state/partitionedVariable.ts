// A variable in parts along axis 0, each of which is a variable of its own: a table that no single server has to hold.
import type { DType } from '../../dtype.ts'
import { dtypes } from '../../dtype.ts'
import { ShapeError, ValueError } from '../../errors.ts'
import type { Node, Tensor } from '../../graph/graph.ts'
import { beside, scope, surroundings } from '../../graph/scope.ts'
import type { OptionRules } from '../../options.ts'
import { checkOptions, optionRules } from '../../options.ts'
import type { VariableSlice } from '../../resource.ts'
import type { Size } from '../../shape.ts'
import { formatShape, formatType, isConcrete, sizeOf } from '../../shape.ts'
import { concat } from '../array/concat.ts'
import { expandDims } from '../array/expandDims.ts'
import { gather } from '../array/gather.ts'
import { stridedSlice } from '../array/stridedSlice.ts'
import type { Readable, TensorLike } from '../constant.ts'
import { constant, toTensor } from '../constant.ts'
import { group } from '../graph/group.ts'
import { equal } from '../math/equal.ts'
import { floorDiv } from '../math/floorDiv.ts'
import { floorMod } from '../math/floorMod.ts'
import { greaterEqual } from '../math/greaterEqual.ts'
import { less } from '../math/less.ts'
import { logicalAnd } from '../math/logicalAnd.ts'
import { select } from '../math/select.ts'
import { sub } from '../math/sub.ts'
import type { Variable } from './variable.ts'
import { variable } from './variable.ts'

/**
 * Which part a row is in, of n parts. 'div': neighbours stay together; of `rows` rows the first `rows mod n` parts have one more than the others.
 * 'mod': row r is row ⌊r / n⌋ of part r mod n, so that rows that are read often, as the first of a vocabulary are, spread over all parts.
 */
export type PartStrategy = 'div' | 'mod'

/** What a part holds of the whole. */
export interface Part {
  /** The shape of the part. */
  readonly shape: Size
  /** Its row i is row `start + i · stride` of the whole. */
  readonly start: number
  readonly stride: number
}

/** How a variable is cut, and declared. */
export interface PartitionOptions {
  /** How many parts there are; no more than rows. Left out: as many as `maxPartBytes` asks for. */
  readonly parts?: number
  /** No part has more bytes, unless a single row has, or `maxParts` are too few. */
  readonly maxPartBytes?: number
  /** The most parts that `maxPartBytes` may make. Default: one for each row. */
  readonly maxParts?: number
  /** Default 'div'. */
  readonly strategy?: PartStrategy
  /** Scoped. Parts are called `<name>/part_0` and so on; checkpoints hold the whole under the name itself. */
  readonly name: string
  /** The shape of the whole, where the initial value is a function. Left out: that of the initial value. */
  readonly shape?: Size
  /** For plain numbers; default float32. */
  readonly dtype?: DType
  /** Do optimizers change it? Default true. */
  readonly trainable?: boolean
}

const rules: OptionRules<PartitionOptions> = {
  parts: optionRules.whole(1),
  maxPartBytes: optionRules.whole(1),
  maxParts: optionRules.whole(1),
  strategy: { wanted: "'div' or 'mod'", accepts: (value) => value === 'div' || value === 'mod' },
  name: optionRules.text,
  shape: optionRules.any,
  dtype: optionRules.text,
  trainable: optionRules.any,
}

/** Variables that are one to whoever reads it. Usable wherever a tensor is: the whole is read there, `embeddingLookup` reads rows alone. */
export class PartitionedVariable implements Readable {
  /** The name of the whole. */
  readonly name: string
  /** The shape of the whole. */
  readonly shape: Size
  readonly strategy: PartStrategy
  /** What optimizers, sessions and checkpoints deal with. */
  readonly parts: readonly Variable[]

  /** Made by `partitionedVariable`. */
  constructor(name: string, shape: Size, strategy: PartStrategy, parts: readonly Variable[]) {
    this.name = name
    this.shape = shape
    this.strategy = strategy
    this.parts = parts
  }

  /** The dtype of its value. */
  get dtype(): DType {
    return this.parts[0]!.dtype
  }

  /** The whole value: all parts are brought to one place. */
  read(): Tensor {
    return scope(`${this.name}/read`, () => {
      const joined = concat(
        this.parts.map((part) => part.read()),
        { axis: 0 },
      )
      if (this.strategy === 'div') return joined
      const places = new Int32Array(this.shape[0]!)
      let next = 0
      for (const { start, stride } of this.#slices)
        for (let row = start; row < places.length; row += stride) places[row] = next++
      return gather(joined, constant(places))
    })
  }

  /** Sets all parts to their rows of a value of the shape of the whole. @throws ShapeError, DTypeError. */
  assign(value: TensorLike): Node {
    return scope(`${this.name}/assign`, () => {
      const whole = toTensor(value, this.dtype)
      if (formatShape(whole.shape) !== formatShape(this.shape))
        throw new ShapeError(
          `'${this.name}' is ${formatShape(this.shape)}, it cannot be set to ${formatType(whole.type)}`,
        )
      return group(
        ...this.parts.map((part, i) =>
          part.assign(rowsOf(whole, { ...this.#slices[i]!, shape: part.shape })),
        ),
      )
    })
  }

  /**
   * Row ids[…] of the whole for each id, [...ids, ...row]; ids out of range answer zeros. Rows are picked where each part is, and each part answers
   * for all ids, with zeros in the place of the rows of others. Gradients of the parts are IndexedSlices.
   */
  lookup(ids: TensorLike): Tensor {
    return scope(`${this.name}/lookup`, () => {
      const rows = toTensor(ids, 'int32')
      const found = this.parts.map((part, i) => {
        const { mine, local } = this.#placesIn(rows, i)
        const table = part.read()
        return { mine, picked: beside(table, () => gather(table, local)) }
      })
      const axes = this.shape.length - 1
      return found
        .map(({ picked }) => picked)
        .reduce((all, picked, i) => select(ofRows(found[i]!.mine, axes), picked, all))
    })
  }

  /** Which ids are in a part, and at which rows of it; -1 for those that are not. */
  #placesIn(ids: Tensor, index: number): { readonly mine: Tensor; readonly local: Tensor } {
    const { start, stride } = this.#slices[index]!
    const shifted = sub(ids, start)
    const rows = this.parts[index]!.shape[0]!
    if (this.strategy === 'div') {
      const mine = logicalAnd(greaterEqual(shifted, 0), less(shifted, rows))
      return { mine, local: select(mine, shifted, -1) }
    }
    const mine = equal(floorMod(shifted, stride), 0)
    return { mine, local: select(mine, floorDiv(shifted, stride), -1) }
  }

  get #slices(): readonly VariableSlice[] {
    return this.parts.map(({ resource }) => resource.slice!)
  }
}

/**
 * A variable in parts along axis 0. Each part is declared by itself, so that `replicaDeviceSetter` spreads them over parameter servers.
 * @param initial the value of the whole, which every part is cut out of; or what makes the value of one part, so that the whole is nowhere.
 * @throws ShapeError for a shape without rows, or unknown, or with fewer rows than parts; ValueError where neither or both of `parts` and `maxPartBytes` are
 * given, or no shape for a function.
 */
export function partitionedVariable(
  initial: TensorLike | ((part: Part) => TensorLike),
  options: PartitionOptions,
): PartitionedVariable {
  checkOptions('partitionedVariable', options, rules)
  const { strategy = 'div', dtype = 'float32', trainable = true } = options
  const name = surroundings().prefix + options.name
  const value = typeof initial === 'function' ? undefined : toTensor(initial, dtype)
  const shape = value?.shape ?? options.shape
  if (!shape) throw new ValueError(`partitionedVariable '${name}': say the shape that the function makes`)
  if (!isConcrete(shape) || shape.length === 0 || shape[0] === 0)
    throw new ShapeError(
      `partitioned variable '${name}' must have known sizes and rows, got ${formatShape(shape)}`,
    )
  const count = countOf(name, shape, value?.dtype ?? dtype, options)
  const parts = slicesOf(name, shape[0]!, count, strategy).map(({ slice, rows }, i) => {
    const part = { shape: [rows, ...shape.slice(1)], start: slice.start, stride: slice.stride }
    const make = (): TensorLike =>
      value ? rowsOf(value, part) : (initial as (part: Part) => TensorLike)(part)
    const own = `${options.name}/part_${i}`
    const first = toTensor(scope(own, make), dtype)
    if (formatShape(first.shape) !== formatShape(part.shape))
      throw new ShapeError(
        `part ${i} of '${name}' is ${formatShape(part.shape)}, its initial value is ${formatShape(first.shape)}`,
      )
    return variable(first, { name: own, trainable, slice })
  })
  return new PartitionedVariable(name, shape, strategy, parts)
}

function countOf(
  name: string,
  shape: Size,
  dtype: DType,
  { parts, maxPartBytes, maxParts = Infinity }: PartitionOptions,
): number {
  if ((parts === undefined) === (maxPartBytes === undefined))
    throw new ValueError(`partitionedVariable '${name}': give either parts or maxPartBytes`)
  const rows = shape[0]!
  if (parts !== undefined) {
    if (parts <= rows) return parts
    throw new ShapeError(`'${name}' has ${rows} rows, too few for ${parts} parts`)
  }
  const rowBytes = sizeOf(shape.slice(1)) * dtypes[dtype].bytes
  const rowsPerPart = Math.max(1, Math.floor(maxPartBytes! / Math.max(1, rowBytes)))
  return Math.min(maxParts, Math.ceil(rows / rowsPerPart))
}

/** What each part has of the rows, and how many these are. */
function slicesOf(
  of: string,
  rows: number,
  count: number,
  strategy: PartStrategy,
): readonly { readonly slice: VariableSlice; readonly rows: number }[] {
  const least = Math.floor(rows / count)
  const larger = rows % count
  return Array.from({ length: count }, (_, i) => {
    const start = strategy === 'mod' ? i : i * least + Math.min(i, larger)
    const slice = { of, rows, start, stride: strategy === 'mod' ? count : 1 }
    return { slice, rows: least + (i < larger ? 1 : 0) }
  })
}

/** The rows of a whole that a part has. */
function rowsOf(whole: Tensor, { start, stride, shape }: Part): Tensor {
  const end = start + (shape[0]! - 1) * stride + 1
  return stridedSlice(whole, { begin: [start], end: [end], strides: [stride] })
}

/** A mask that stands for whole rows. */
function ofRows(mask: Tensor, axes: number): Tensor {
  return Array.from({ length: axes }).reduce<Tensor>((m) => expandDims(m, { axis: -1 }), mask)
}
