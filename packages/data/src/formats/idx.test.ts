import { DTypeError, NDArray } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { DataError } from '../errors.ts'
import { file } from '../files.ts'
import { readIdx, writeIdx } from './idx.ts'

const dataset = (name: string) => file(new URL(`../../../../datasets/${name}`, import.meta.url))

describe('idx', () => {
  it('reads the MNIST test set, packed', async () => {
    const images = await readIdx(dataset('mnist-t10k-images-idx3-ubyte.gz'))
    const labels = await readIdx(dataset('mnist-t10k-labels-idx1-ubyte.gz'))
    expect([images.dtype, images.shape, labels.shape]).toEqual(['uint8', [10_000, 28, 28], [10_000]])
    const counts = new Array<number>(10).fill(0)
    for (const label of labels.numbers()) counts[label]!++
    expect(counts).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
    const sum = (images.data as Uint8Array).reduce((total, pixel) => total + pixel, 0)
    expect(sum / images.size / 255).toBeCloseTo(0.13251, 5)
  })

  it('has big-endian numbers', async () => {
    const bytes = Uint8Array.of(0, 0, 11, 1, 0, 0, 0, 2, 1, 2, 255, 254)
    const array = await readIdx(bytes)
    expect([array.dtype, array.toArray()]).toEqual(['int16', [258, -2]])
    expect(writeIdx(array)).toEqual(bytes)
  })

  it.each(['uint8', 'int8', 'int16', 'int32', 'float32', 'float64'] as const)(
    'gives back %s',
    async (dtype) => {
      const array = new NDArray('float64', [2, 3], Float64Array.of(0, 1, 2, 100, 5, 6)).cast(dtype)
      expect(await readIdx(writeIdx(array))).toEqual(array)
    },
  )

  it('has no other dtypes', () => {
    expect(() => writeIdx(new NDArray('int64', [1], BigInt64Array.of(1n)))).toThrow(DTypeError)
  })

  it('says what is wrong, and where', async () => {
    const good = writeIdx(new NDArray('int32', [2, 2], Int32Array.of(1, 2, 3, 4)))
    const changed = (at: number, value: number) => good.map((byte, i) => (i === at ? value : byte))
    await expect(readIdx(changed(0, 1))).rejects.toThrow('byte 0: not an idx file')
    await expect(readIdx(changed(2, 3))).rejects.toThrow('unknown idx element type 0x3')
    await expect(readIdx(good.subarray(0, 20))).rejects.toThrow(
      'truncated: int32[2, 2] needs 16 bytes, 8 are left',
    )
    await expect(readIdx(new Uint8Array([...good, 0]))).rejects.toThrow('bytes after the end')
    await expect(readIdx(good, { maxBytes: 15 })).rejects.toThrow('more than 15 bytes')
    await expect(readIdx(file('/no/such.idx'))).rejects.toThrow(/such.idx: cannot be read: ENOENT/)
    await expect(readIdx(file('/no/such.idx'))).rejects.toBeInstanceOf(DataError)
  })
})
