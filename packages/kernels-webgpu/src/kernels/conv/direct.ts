// Convolutions of few channels in each group, depthwise ones above all: a lane makes a few elements, straight from their windows.
import type { BufferUse } from '../../stage.ts'
import { scalarType } from '../../wgsl/representation.ts'
import type { Shader } from '../../wgsl/shader.ts'
import type { Pass } from './finish.ts'
import { type ConvOp, type Convolution, phasesOf, rowsOf, type Walk } from './geometry.ts'
import { digits, type Elements, fourElements, oneElement, plus, readUse, times, type Unit } from './part.ts'
import { WindowWriter } from './windows.ts'

const lanes = 64
/** Lanes beyond which each makes more elements, so that weights are read less often. */
const enoughLanes = 65536

/** How elements are read together. */
interface Reading {
  /** Four channels by themselves: a lane makes four neighbours. */
  readonly depthwise: boolean
  /** Channels of what windows see. */
  readonly seen: Unit
  /** Weights. */
  readonly weights: Unit
}

/** Does every channel see only itself? */
export const isDepthwise = ({ seen, made }: Convolution): boolean => seen === 1 && made === 1

/** The stage of a convolution, or of its gradient by x. `uses` are what windows see, then the filter. */
export function directPass(
  op: Exclude<ConvOp, 'ConvBackpropFilter'>,
  convolution: Convolution,
  walk: Walk,
  uses: readonly [BufferUse, BufferUse],
): Pass {
  const reading = readingOf(op, convolution, walk)
  const together = reading.depthwise ? 4 : 1
  const columns = answerChannels(op, convolution) / together
  const [rows, phases] = [rowsOf(walk), phasesOf(walk)]
  const block = rows * phases * columns >= 4 * enoughLanes ? 4 : 1
  const blocks = Math.ceil(rows / block)
  const count = phases * blocks * columns
  return {
    splits: 1,
    buffers: [readUse(uses[0].arg, uses[0], reading.seen), readUse(uses[1].arg, uses[1], reading.weights)],
    groups: Math.ceil(count / lanes),
    lanes,
    schedule: `${block}×${together} elements a lane`,
    write: (shader, store) => {
      const element = shader.let(`group * ${lanes} + lane`)
      if (count % lanes !== 0) shader.line(`if (${element} >= ${count}) { return; }`)
      const [phase, first, column] = digits(shader, element, [phases, blocks, columns].map(String)) as [
        string,
        string,
        string,
      ]
      const windows = new WindowWriter(shader, walk, phase, reading.seen)
      const positions = Array.from({ length: block }, (_, i) =>
        block === 1 ? first : shader.let(`${first} * ${block} + ${i}`),
      )
      const sums = sumsOf({ shader, op, convolution, walk, reading, windows, column }, positions)
      positions.forEach((position, i) => {
        const { position: place, exists } = windows.place(position)
        const conditions = [
          ...(rows % block === 0 ? [] : [`${position} < ${rows}`]),
          ...(exists === undefined ? [] : [exists]),
        ]
        const index = shader.let(plus(times(place, columns * together), times(column, together)))
        const keep = (): void => {
          if (together === 1) store('0', index, sums[i]!)
          else shader.loop('0', '4', '1', (k) => store('0', `${index} + ${k}`, `${sums[i]!}[${k}]`))
        }
        if (conditions.length === 0) keep()
        else shader.block(`if (${conditions.join(' && ')})`, keep)
      })
    },
  }
}

const answerChannels = (op: ConvOp, { groups, seen, made }: Convolution): number =>
  groups * (op === 'ConvBackpropInput' ? seen : made)

function readingOf(op: ConvOp, convolution: Convolution, { channels, total }: Walk): Reading {
  const { filter, made } = convolution
  // Neighbours of a depthwise filter stand side by side if its channels come last.
  if (isDepthwise(convolution) && total % 4 === 0 && filter.made === 1)
    return { depthwise: true, seen: 4, weights: 4 }
  const together = channels % 4 === 0
  const contiguous = op === 'ConvBackpropInput' ? made % 4 === 0 : filter.seen === 1
  return { depthwise: false, seen: together ? 4 : 1, weights: together && contiguous ? 4 : 1 }
}

interface Writing {
  readonly shader: Shader
  readonly op: ConvOp
  readonly convolution: Convolution
  readonly walk: Walk
  readonly reading: Reading
  readonly windows: WindowWriter
  readonly column: string
}

/** Writes the sums of some rows of a column; answers their names. */
function sumsOf(writing: Writing, positions: readonly string[]): string[] {
  const { shader, op, convolution, walk, reading, windows, column } = writing
  const { depthwise, seen: unit } = reading
  const seen: Elements = {
    memory: shader.memory(0),
    sizes: windows.sizes,
    padding: convolution.padding,
    floored: op === 'QuantizedConv',
  }
  const type = scalarType(seen.memory.dtype)
  const rows = positions.map((position) => windows.row(position))
  const sums = positions.map(() => shader.variable(depthwise ? `vec4<${type}>` : type))
  const perGroup = answerChannels(op, convolution) / convolution.groups
  const group =
    convolution.groups === 1 ? '0' : perGroup === 1 ? column : shader.let(`${column} / ${perGroup}`)
  eachTap(shader, windows.taps, [], (tap) => {
    const filterTap = windows.filterTap(tap)
    const term = (channel: string): void => {
      const own = depthwise ? column : shader.let(plus(times(group, walk.channels / unit), channel))
      const part = windows.tapAt(tap, own)
      const weight = weightOf(writing, filterTap, group, channel)
      rows.forEach((row, i) => {
        const value =
          unit === 4 ? fourElements(shader, seen, [part], row) : oneElement(shader, seen, part, row)
        shader.line(
          `${sums[i]!} += ${unit === 4 && !depthwise ? `dot(${value}, ${weight})` : `${value} * ${weight}`};`,
        )
      })
    }
    if (depthwise || walk.channels === unit) term('0')
    else shader.loop('0', `${walk.channels / unit}`, '1', term)
  })
  return sums
}

/** The weights of a channel (or four) that is seen. */
function weightOf(
  { shader, op, convolution, reading, column }: Writing,
  tap: string,
  group: string,
  channel: string,
): string {
  const { filter, made, seen } = convolution
  const weights: Elements = { memory: shader.memory(1), sizes: [], padding: 0, floored: false }
  const nothing = { index: '0' }
  if (reading.depthwise)
    return fourElements(
      shader,
      weights,
      [{ index: shader.let(plus(times(tap, filter.tap / 4), column)) }],
      nothing,
    )
  const backward = op === 'ConvBackpropInput'
  // Forwards the column is a channel that is made, and of all groups; backwards it is one that x has.
  const ownSeen = backward ? shader.let(plus(column, times(group, -seen))) : channel
  const [step, fixed] = backward
    ? [1, plus(times(tap, filter.tap), times(ownSeen, filter.seen), times(group, made))]
    : [filter.seen, plus(times(tap, filter.tap), times(column, filter.made))]
  const base = shader.let(fixed)
  if (reading.weights === 4)
    return fourElements(shader, weights, [{ index: shader.let(plus(`${base} / 4`, channel)) }], nothing)
  if (reading.seen === 1)
    return oneElement(shader, weights, { index: plus(base, times(channel, step)) }, nothing)
  const parts = [0, 1, 2, 3].map((k) => ({ index: plus(times(channel, 4 * step), `${k * step}`) }))
  return fourElements(shader, weights, parts, { index: base })
}

/** Loops over the taps of all axes. */
export function eachTap(
  shader: Shader,
  taps: readonly string[],
  found: readonly string[],
  body: (tap: readonly string[]) => void,
): void {
  const axis = found.length
  if (axis === taps.length) return body(found)
  if (taps[axis] === '1') return eachTap(shader, taps, [...found, '0'], body)
  shader.loop('0', taps[axis]!, '1', (t) => eachTap(shader, taps, [...found, t], body))
}
