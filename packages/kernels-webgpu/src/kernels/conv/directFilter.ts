// The gradient of a filter of few channels in each group: lanes have an element of the filter each, or share the positions of one.
import { sizeOf } from '@shoal/core'
import type { BufferUse } from '../../stage.ts'
import { scalarType } from '../../wgsl/representation.ts'
import { isDepthwise } from './direct.ts'
import { type Pass, sumOfLanes } from './finish.ts'
import { type Convolution, tapsOf, type Walk } from './geometry.ts'
import { digits, type Elements, fourElements, oneElement, plus, readUse, times, type Unit } from './part.ts'
import { sharingOf } from './schedule.ts'
import { WindowWriter } from './windows.ts'

/** The stage of a filter's gradient, or of shares of its sums. `uses` are x, then the gradient of the answer. */
export function directFilterPass(
  convolution: Convolution,
  walk: Walk,
  uses: readonly [BufferUse, BufferUse],
): Pass {
  const { groups, seen, made } = convolution
  const out = groups * made
  const unit: Unit = isDepthwise(convolution) && out % 4 === 0 ? 4 : 1
  const count = (tapsOf(walk) * seen * out) / unit
  // A line is all positions along the last axis.
  const lineLength = walk.axes.at(-1)!.rows
  const lines = walk.batch * sizeOf(walk.axes.slice(0, -1).map(({ rows }) => rows))
  const { elements, shares, splits } = sharingOf(count, lines)
  const chunk = Math.ceil(lines / splits)
  return {
    splits,
    buffers: [readUse(uses[0].arg, uses[0], unit), readUse(uses[1].arg, uses[1], unit)],
    groups: Math.ceil(count / elements) * splits,
    lanes: elements * shares,
    schedule: `${elements}×${unit} elements a workgroup, ${shares} lanes each`,
    write: (shader, store) => {
      const windows = new WindowWriter(shader, walk, '0', unit)
      const [split, block] = digits(shader, 'group', [splits, Math.ceil(count / elements)].map(String)) as [
        string,
        string,
      ]
      const [share, own] = digits(shader, 'lane', [shares, elements].map(String)) as [string, string]
      const element = shader.let(plus(times(block, elements), own))
      const x: Elements = { memory: shader.memory(0), sizes: windows.sizes, padding: 0, floored: false }
      const dy: Elements = { memory: shader.memory(1), sizes: [], padding: 0, floored: false }
      const found = digits(shader, element, [...windows.taps, `${seen}`, `${out / unit}`])
      const [channel, column] = [found.at(-2)!, found.at(-1)!]
      const group = groups === 1 ? '0' : made === 1 ? column : shader.let(`${column} / ${made}`)
      const part = windows.tapAt(found.slice(0, -2), unit === 4 ? column : plus(times(group, seen), channel))
      const scalar = scalarType(x.memory.dtype)
      const type = unit === 4 ? `vec4<${scalar}>` : scalar
      const sum = shader.variable(type)
      const begin = shader.let(plus(times(split, chunk), share))
      const end = splits === 1 ? `${lines}` : shader.let(`min(${split} * ${chunk} + ${chunk}, ${lines})`)
      shader.loop(begin, end, `${shares}`, (line) => {
        const at = digits(shader, line, windows.rowSizes.slice(0, -1))
        shader.loop('0', `${lineLength}`, '1', (i) => {
          const row = windows.rowAt([...at, i])
          const position = shader.let(plus(times(line, lineLength), i))
          const flow = { index: shader.let(plus(times(position, out / unit), column)) }
          const nothing = { index: '0' }
          const product =
            unit === 4
              ? `${fourElements(shader, x, [part], row)} * ${fourElements(shader, dy, [flow], nothing)}`
              : `${oneElement(shader, x, part, row)} * ${oneElement(shader, dy, flow, nothing)}`
          shader.line(`${sum} += ${product};`)
        })
      })
      const value = sumOfLanes(shader, type, sum, shares, elements)
      const conditions = [
        ...(shares === 1 ? [] : [`${share} == 0`]),
        ...(count % elements === 0 ? [] : [`${element} < ${count}`]),
      ]
      const keep = (): void => {
        if (unit === 1) store(split, element, value)
        else shader.loop('0', '4', '1', (k) => store(split, `4 * ${element} + ${k}`, `${value}[${k}]`))
      }
      if (conditions.length === 0) keep()
      else shader.block(`if (${conditions.join(' && ')})`, keep)
    },
  }
}
