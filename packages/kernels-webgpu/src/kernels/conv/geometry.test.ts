import type { Signature } from '@shoal/core'
import { windowOf } from '@shoal/core'
import { expect, it } from 'vitest'
import { random, type } from '../agreement.ts'
import { backwardWalk, convolutionOf, seesPadding } from './geometry.ts'

const next = random(5)
const size = (most: number): number => 1 + Math.floor(Math.abs(next()) * most)

/** Which windows of the answer see a position of x, with which tap: from the definition of a convolution. */
function seenBy(position: number, [taps, stride, dilation, before, windows]: readonly number[]): string[] {
  const found: string[] = []
  for (let window = 0; window < windows!; window++)
    for (let tap = 0; tap < taps!; tap++)
      if (window * stride! + tap * dilation! - before! === position) found.push(`${window} by ${tap}`)
  return found.sort()
}

it('walks backwards over the windows that see a position, whatever the strides and dilations', () => {
  for (let i = 0; i < 500; i++) {
    const [extent, taps, stride, dilation] = [size(12), size(5), size(6), size(4)]
    const [before, after] = [size(9) - 1, (taps - 1) * dilation]
    const attrs = {
      padding: 'EXPLICIT',
      explicitPadding: [before, after],
      strides: [stride],
      dilations: [dilation],
      groups: 1,
    }
    const signature: Signature = { inputs: [type([1, extent, 1]), type([taps, 1, 1])], outputs: [], attrs }
    const windows = windowOf([extent], [taps], attrs as never).output[0]!
    const axis = backwardWalk(convolutionOf('ConvBackpropInput', signature)).axes[0]!
    const visited = new Set<number>()
    axis.phases.forEach((phase, p) => {
      for (let row = 0; row < axis.rows; row++) {
        const position = row * axis.spread + p
        if (position >= extent) continue
        visited.add(position)
        const found: string[] = []
        for (let tap = 0; tap < phase.taps; tap++) {
          const window = row * axis.step + tap * axis.dilation + phase.offset
          const within = window >= 0 && window < windows
          expect(within || seesPadding(axis)).toBe(true)
          if (within) found.push(`${window} by ${phase.first + tap * axis.tapStep}`)
        }
        expect(found.sort()).toEqual(seenBy(position, [taps, stride, dilation, before, windows]))
      }
    })
    expect(visited.size).toBe(extent)
  }
})
