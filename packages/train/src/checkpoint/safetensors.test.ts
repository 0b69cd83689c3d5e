import type { DType } from '@shoal/core'
import { dtypeNames, NDArray, ndarray } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { CheckpointError } from './errors.ts'
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts'

/** A file with a header of this text, and so many bytes of data. */
function file(header: string, dataBytes: number): Uint8Array {
  const json = new TextEncoder().encode(header)
  const bytes = new Uint8Array(8 + json.length + dataBytes)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true)
  bytes.set(json, 8)
  return bytes
}
const describeTensor = (dtype: string, shape: readonly number[], offsets: readonly number[]): string =>
  JSON.stringify({ dtype, shape, data_offsets: offsets })

const storable = dtypeNames.filter((dtype): dtype is Exclude<DType, 'string'> => dtype !== 'string')

describe('safetensors', () => {
  it.each(storable)('keeps %s', (dtype) => {
    const x = ndarray(
      [
        [0, 1, 0],
        [1, 1, 0],
      ],
      dtype,
    )
    const { tensors } = decodeSafetensors(encodeSafetensors({ x }))
    expect([tensors.get('x')!.dtype, tensors.get('x')!.toArray()]).toEqual([dtype, x.toArray()])
  })

  it('keeps scalars, empty arrays, odd names and metadata', () => {
    const arrays = new Map<string, NDArray>([
      ['a/b:ü "', ndarray(3.5)],
      ['__proto__', ndarray([true, false])],
      ['empty', new NDArray('int64', [3, 0], new BigInt64Array(0))],
      ['wide', ndarray([1, 2], 'float64')],
    ])
    const { tensors, metadata } = decodeSafetensors(encodeSafetensors(arrays, { step: '12' }))
    expect(metadata).toEqual({ step: '12' })
    for (const [name, array] of arrays) expect(tensors.get(name)).toEqual(array)
    expect(tensors.size).toBe(4)
  })

  it('is laid out as the format says', () => {
    const bytes = encodeSafetensors({ flag: ndarray([true]), x: ndarray([1, -2]) })
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true))
    expect(length % 8).toBe(0)
    expect(JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))).toEqual({
      x: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
      flag: { dtype: 'BOOL', shape: [1], data_offsets: [8, 9] },
    })
    expect([...bytes.subarray(8 + length)]).toEqual([0, 0, 128, 63, 0, 0, 0, 192, 1])
  })

  it('reads what others wrote: any order, no padding, data that is not aligned', () => {
    const bytes = file(
      `{"b":${describeTensor('I16', [1], [1, 3])},"a":${describeTensor('U8', [1], [0, 1])}}  `,
      3,
    )
    bytes.set([7, 1, 2], bytes.length - 3)
    const { tensors } = decodeSafetensors(bytes)
    expect([...tensors].map(([name, x]) => [name, x.toArray()])).toEqual([
      ['a', [7]],
      ['b', [513]],
    ])
  })

  it.each([
    ['nothing', new Uint8Array(0), 'truncated'],
    ['a header that is too long', Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0, 123), 'a header of 4294967296 bytes'],
    [
      'a header beyond the end',
      Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, 123),
      'the header should end at byte 17',
    ],
    ['no JSON', file('{"a":', 0), 'not JSON'],
    ['a list', file('[]', 0), 'not a JSON object'],
    ['no description', file('{"a":3}', 0), "tensor 'a' has no description"],
    ['an unknown dtype', file(`{"a":${describeTensor('F8_E4M3', [1], [0, 1])}}`, 1), 'dtype F8_E4M3'],
    [
      'a dtype that objects inherit',
      file(`{"a":${describeTensor('toString', [1], [0, 1])}}`, 1),
      'not known',
    ],
    ['a negative size', file(`{"a":${describeTensor('U8', [-1, -1], [0, 1])}}`, 1), 'no shape'],
    ['sizes that overflow', file(`{"a":${describeTensor('U8', [2 ** 40, 2 ** 40], [0, 1])}}`, 1), 'needs'],
    ['too few bytes for the shape', file(`{"a":${describeTensor('F32', [2], [0, 4])}}`, 4), 'needs 8 bytes'],
    ['one offset', file(`{"a":${describeTensor('U8', [1], [0])}}`, 1), 'no data_offsets'],
    [
      'a hole',
      file(`{"a":${describeTensor('U8', [1], [0, 1])},"b":${describeTensor('U8', [1], [2, 3])}}`, 3),
      'begins at 2',
    ],
    [
      'an overlap',
      file(`{"a":${describeTensor('U8', [2], [0, 2])},"b":${describeTensor('U8', [2], [1, 3])}}`, 3),
      'begins at 1',
    ],
    ['data that is missing', file(`{"a":${describeTensor('U8', [2], [0, 2])}}`, 1), 'truncated, or damaged'],
    ['data that nobody owns', file(`{"a":${describeTensor('U8', [2], [0, 2])}}`, 3), 'truncated, or damaged'],
    ['metadata that are not texts', file('{"__metadata__":{"a":1}}', 0), 'metadata'],
    ['a bool of 2', file(`{"a":${describeTensor('BOOL', [1], [0, 1])}}`, 1).fill(2, -1), 'neither 0 nor 1'],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes)).toThrow(CheckpointError)
    expect(() => decodeSafetensors(bytes)).toThrow(message)
  })

  it('refuses strings and the reserved name', () => {
    expect(() => encodeSafetensors({ s: ndarray(['a']) })).toThrow(CheckpointError)
    expect(() => encodeSafetensors({ __metadata__: ndarray(1) })).toThrow(CheckpointError)
  })
})

/** xorshift32: the same numbers on every machine. */
function random(seed: number): (bound: number) => number {
  let x = seed
  return (bound) => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return (x >>> 0) % bound
  }
}

describe('damaged safetensors', () => {
  const whole = encodeSafetensors(
    {
      w: ndarray([
        [1, 2],
        [3, 4],
      ]),
      flag: ndarray([true, false]),
      n: ndarray([5n]),
    },
    { step: '3', more: 'text' },
  )
  function outcome(bytes: Uint8Array): 'read' | 'refused' {
    const before = process.memoryUsage().arrayBuffers
    try {
      decodeSafetensors(bytes)
      return 'read'
    } catch (error) {
      if (!(error instanceof CheckpointError))
        throw new Error(`not a CheckpointError for ${Buffer.from(bytes).toString('hex')}`, { cause: error })
      return 'refused'
    } finally {
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 2 ** 20)
    }
  }

  it('are refused at every truncation', () => {
    expect(outcome(whole)).toBe('read')
    for (let length = 0; length < whole.length; length++)
      expect(outcome(whole.slice(0, length))).toBe('refused')
  })

  it('are read or refused, nothing else: 3,000 mutations', () => {
    const below = random(20_261)
    const seen = { read: 0, refused: 0 }
    for (let i = 0; i < 3000; i++) {
      let bytes = Array.from(whole)
      for (let changes = 1 + below(4); changes > 0; changes--) {
        // Most damage goes to the header, where it means something.
        const at = below(below(3) === 0 ? bytes.length : Math.min(bytes.length, 200))
        const kind = below(5)
        if (kind === 0) bytes = bytes.slice(0, at + 1)
        else if (kind === 1) bytes.splice(at, 1 + below(8))
        else if (kind === 2) bytes.splice(at, 0, ...bytes.slice(at, at + 1 + below(16)))
        else bytes[at] = [0, 255, 127, 0x30 + below(10), below(256)][below(5)]!
      }
      seen[outcome(Uint8Array.from(bytes))]++
    }
    expect(seen.read).toBeGreaterThan(10)
    expect(seen.refused).toBeGreaterThan(1000)
  })

  it('are refused however deep their JSON is', () => {
    expect(outcome(file('['.repeat(200_000), 0))).toBe('refused')
    expect(outcome(file(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 0))).toBe('refused')
  })
})
