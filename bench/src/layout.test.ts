import { describe, expect, it } from 'vitest'
import {
  channelsFirst,
  channelsLast,
  lenetChannelsFirst,
  outputsFirst,
  outputsLast,
  permuted,
} from './layout.ts'
import { lstmGates, parametersOf } from './values.ts'

const counting = (shape: readonly number[]) => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
})

describe('layout', () => {
  it('transposes a matrix', () => {
    expect(permuted(counting([2, 3]), [1, 0])).toEqual({
      shape: [3, 2],
      data: Float32Array.of(0, 3, 1, 4, 2, 5),
    })
  })
  it('goes there and back', () => {
    const x = counting([2, 3, 4, 5])
    expect(channelsLast(channelsFirst(x))).toEqual(x)
    expect(outputsLast(outputsFirst(x))).toEqual(x)
    expect(channelsFirst(x).shape).toEqual([2, 5, 3, 4])
  })
  it('puts the rows of the first dense layer where the features are', () => {
    const before = parametersOf('lenet')['w1']!
    const after = lenetChannelsFirst(parametersOf('lenet'))['w1']!
    const [row, column, channel] = [2, 5, 33]
    const from = (row * 7 + column) * 64 + channel
    const to = (channel * 7 + row) * 7 + column
    expect(after.data.slice(to * 256, to * 256 + 256)).toEqual(
      before.data.slice(from * 256, from * 256 + 256),
    )
  })
  it('moves the gates of an LSTM within each row', () => {
    const moved = lstmGates(counting([2, 4]), 'igfo')
    expect([...moved.data]).toEqual([0, 2, 1, 3, 4, 6, 5, 7])
  })
})
