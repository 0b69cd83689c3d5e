// A convolution as a product of matrices that nobody builds: one of them is read straight out of the tensor that windows see.
import { type DType, sizeOf } from '@shoal/core'
import type { BufferUse, Target } from '../../stage.ts'
import { scalarType } from '../../wgsl/representation.ts'
import type { Shader } from '../../wgsl/shader.ts'
import type { Pass } from './finish.ts'
import { type ConvOp, type Convolution, phasesOf, rowsOf, tapsOf, type Walk } from './geometry.ts'
import { digits, type Elements, fourParts, type Part, plus, readUse, times, type Unit } from './part.ts'
import { lanesOf, powerOfTwo, type ProductSizes, tilesIn, type Tiling, tilingOf } from './schedule.ts'
import { type Matrix, writeTile } from './tile.ts'
import { WindowWriter } from './windows.ts'

/** The sizes of the product that an op is, one for each group and phase. */
export function productSizes(op: ConvOp, { groups, seen, made }: Convolution, walk: Walk): ProductSizes {
  if (op === 'ConvBackpropFilter')
    return { batches: groups, rows: tapsOf(walk) * seen, columns: made, depth: rowsOf(walk) }
  return {
    batches: groups * phasesOf(walk),
    rows: rowsOf(walk),
    columns: op === 'ConvBackpropInput' ? seen : made,
    depth: tapsOf(walk) * walk.channels,
  }
}

/** Products that are alike enough to run the same way: by op, dtype, and sizes up to the next powers of two. */
export function productClass(
  op: ConvOp,
  { batches, rows, columns, depth }: ProductSizes,
  dtype: DType,
): string {
  const [times, down, along, across] = [batches, rows, depth, columns].map(powerOfTwo)
  return `${op} ${dtype} ${times}x${down}x${along}x${across}`
}

/** What the writing of a workgroup's tile works from. */
interface Writing {
  readonly shader: Shader
  readonly convolution: Convolution
  readonly walk: Walk
  readonly tiling: Tiling
  readonly group: string
  /** The terms of a sum in the phase at hand. */
  readonly terms: string
  readonly units: Units
  readonly windows: WindowWriter
}

/** Neighbours that are read together: of what windows see, and of the other matrix. */
interface Units {
  readonly seen: Unit
  readonly other: Unit
}

/** The stage that makes a convolution, or shares of its sums. `uses` are what windows see, then the other operand. */
export function productPass(
  op: ConvOp,
  convolution: Convolution,
  walk: Walk,
  uses: readonly [BufferUse, BufferUse],
  target: Target,
): Pass {
  const sizes = productSizes(op, convolution, walk)
  const name = productClass(op, sizes, uses[0].dtype)
  const tiling = tilingOf(sizes, target, target.schedules?.convolution?.[name])
  const { rows, columns, depth, laneRows, laneColumns, splits } = tiling
  const units: Units = { seen: unitOf(walk.channels), other: unitOf(otherRun(op, convolution)) }
  return {
    splits,
    buffers: [readUse(uses[0].arg, uses[0], units.seen), readUse(uses[1].arg, uses[1], units.other)],
    groups: tilesIn(sizes, tiling) * splits,
    lanes: lanesOf(tiling),
    schedule: `tiles ${rows}×${columns}×${depth}, ${laneRows}×${laneColumns} a lane`,
    write: (shader, store) => {
      const down = Math.ceil(sizes.rows / rows)
      const across = Math.ceil(sizes.columns / columns)
      const [split, phase, group, row, column] = digits(
        shader,
        'group',
        [splits, phasesOf(walk), convolution.groups, down, across].map(String),
      ) as [string, string, string, string, string]
      const windows = new WindowWriter(shader, walk, phase, units.seen)
      const terms = op === 'ConvBackpropFilter' ? `${sizes.depth}` : termsOf(shader, walk, windows)
      const writing = { shader, convolution, walk, tiling, group, terms, units, windows }
      const chunk = Math.ceil(sizes.depth / (splits * depth)) * depth
      const begin = splits === 1 ? '0' : shader.let(`${split} * ${chunk}`)
      const end = splits === 1 ? terms : shader.let(`min(${begin} + ${chunk}, ${terms})`)
      const type = scalarType(uses[0].dtype)
      writeTile(shader, tiling, type, matricesOf(op, writing), { row, column, begin, end }, (r, c, value) => {
        const within = [
          ...(sizes.rows % rows === 0 ? [] : [`${r} < ${sizes.rows}`]),
          ...(sizes.columns % columns === 0 ? [] : [`${c} < ${sizes.columns}`]),
        ]
        guarded(shader, within, () => {
          if (op === 'ConvBackpropFilter')
            return store(
              split,
              placeOf(convolution.groups * convolution.made, r, group, convolution.made, c),
              value,
            )
          const { position, exists } = windows.place(r)
          const channels = op === 'ConvBackpropInput' ? convolution.seen : convolution.made
          guarded(shader, exists === undefined ? [] : [exists], () =>
            store(split, placeOf(convolution.groups * channels, position, group, channels, c), value),
          )
        })
      })
    },
  }
}

/** Where in an answer with `total` channels a channel of a group is. */
const placeOf = (total: number, position: string, group: string, channels: number, channel: string): string =>
  plus(times(position, total), times(group, channels), channel)

function guarded(shader: Shader, conditions: readonly string[], body: () => void): void {
  if (conditions.length === 0) body()
  else shader.block(`if (${conditions.join(' && ')})`, body)
}

/** Elements of the other matrix that stand side by side. */
const otherRun = (op: ConvOp, { made, filter }: Convolution): number =>
  op === 'QuantizedConv' ? filter.made : made
const unitOf = (neighbours: number): Unit => (neighbours % 4 === 0 ? 4 : 1)

/** The terms of a sum in the phase at hand: a number, or a name where phases differ. */
function termsOf(shader: Shader, { channels }: Walk, { taps }: WindowWriter): string {
  if (taps.every((one) => /^\d+$/.test(one))) return `${sizeOf(taps.map(Number)) * channels}`
  return shader.let([...taps, `${channels}`].join(' * '))
}

function matricesOf(op: ConvOp, writing: Writing): readonly [Matrix, Matrix] {
  const { shader, convolution, windows } = writing
  const seen: Elements = {
    memory: shader.memory(0),
    sizes: windows.sizes,
    padding: convolution.padding,
    floored: op === 'QuantizedConv',
  }
  const other: Elements = { memory: shader.memory(1), sizes: [], padding: 0, floored: false }
  return op === 'ConvBackpropFilter'
    ? [tapsBesideDepth(writing, seen), outputs(writing, other)]
    : [rowsBesideTaps(writing, seen), filterOf(op, writing, other)]
}

/** What windows see, a row for each window: neighbours are the taps and channels that are summed over. */
function rowsBesideTaps(writing: Writing, elements: Elements): Matrix {
  const { shader, windows, units } = writing
  return {
    elements,
    along: 'depth',
    side: (position) => [windows.row(position)],
    depth: (quad) =>
      fourParts(shader, units.seen, quad, (position) => {
        const { tap, channel } = apart(writing, position, units.seen)
        return windows.tapAt(tap, channel, beforeEnd(writing, position, units.seen))
      }),
  }
}

/** What windows see, a row for each tap and channel: the windows are summed over. */
function tapsBesideDepth(writing: Writing, elements: Elements): Matrix {
  const { shader, windows, units } = writing
  return {
    elements,
    along: 'side',
    side: (quad) =>
      fourParts(shader, units.seen, quad, (position) => {
        const { tap, channel } = apart(writing, position, units.seen)
        return windows.tapAt(tap, channel)
      }),
    depth: (position) => [windows.row(position, beforeEnd(writing, position, 1))],
  }
}

/** The gradient of the answer: a column for each channel, the windows are summed over. */
function outputs(writing: Writing, elements: Elements): Matrix {
  const { shader, convolution, group, units } = writing
  const { groups, made } = convolution
  const unit = units.other
  return {
    elements,
    along: 'side',
    side: (quad) =>
      fourParts(shader, unit, quad, (channel) => ({
        index: shader.let(plus(times(group, made / unit), channel)),
      })),
    depth: (position) => [
      {
        index: shader.let(times(position, (groups * made) / unit)),
        exists: beforeEnd(writing, position, 1),
      },
    ],
  }
}

/** The filter: what a tap and channel weighs for each column. */
function filterOf(op: ConvOp, writing: Writing, elements: Elements): Matrix {
  const { shader, convolution, group, units, windows } = writing
  const { filter, made } = convolution
  const unit = units.other
  const of = (a: string, stride: number): string => times(a, stride / unit)
  if (op === 'Conv')
    return {
      elements,
      along: 'side',
      side: (quad) =>
        fourParts(shader, unit, quad, (channel) => ({ index: shader.let(plus(of(group, made), channel)) })),
      // Taps follow each other as their channels do.
      depth: (position) => [
        { index: shader.let(of(position, filter.seen)), exists: beforeEnd(writing, position, 1) },
      ],
    }
  if (op === 'QuantizedConv')
    return {
      elements,
      along: 'depth',
      side: (channel) => {
        const column = shader.let(plus(times(group, made), channel))
        return [{ index: shader.let(of(column, filter.made)) }]
      },
      depth: (quad) =>
        fourParts(
          shader,
          unit,
          quad,
          (position): Part => ({
            index: position,
            exists: beforeEnd(writing, position, unit),
          }),
        ),
    }
  return {
    elements,
    along: 'depth',
    side: (channel) => [{ index: shader.let(of(channel, filter.seen)) }],
    depth: (quad) =>
      fourParts(shader, unit, quad, (position): Part => {
        const { tap, channel } = apart(writing, position, unit)
        return {
          index: shader.let(plus(of(windows.filterTap(tap), filter.tap), channel)),
          exists: beforeEnd(writing, position, unit),
        }
      }),
  }
}

/** A position among taps and channels (or fours of them) as both; the channel counts from the first of all groups. */
function apart(
  { shader, walk, windows, group }: Writing,
  position: string,
  unit: Unit,
): { readonly tap: readonly string[]; readonly channel: string } {
  const found = digits(shader, position, [...windows.taps, `${walk.channels / unit}`])
  const channel = plus(times(group, walk.channels / unit), found.at(-1)!)
  return { tap: found.slice(0, -1), channel: channel.includes('+') ? shader.let(channel) : channel }
}

/** The condition that a position, in these units, is one of the terms that are summed; undefined where all are. */
function beforeEnd({ tiling, terms }: Writing, position: string, unit: Unit): string | undefined {
  if (!/^\d+$/.test(terms)) return `${position} < ${unit === 1 ? terms : `${terms} / ${unit}`}`
  return Number(terms) % tiling.depth === 0 ? undefined : `${position} < ${Number(terms) / unit}`
}
