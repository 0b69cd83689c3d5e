// The files in testdata were written by NumPy 2.4: version, byte order and axis order are in their names.
import { readFileSync } from 'node:fs'
import { allocate, DTypeError, dtypeNames, NDArray, ndarray, setElement } from '@shoal/core'
import { unzipSync, zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { readNpy, writeNpy } from './npy.ts'
import { writeNpyHeader } from './npyHeader.ts'
import { readNpz, writeNpz } from './npz.ts'

const testdata = (name: string): Uint8Array =>
  readFileSync(new URL(`../../testdata/${name}`, import.meta.url))
const ascii = (text: string) => new TextEncoder().encode(text)

describe('npy', () => {
  it.each([1, 2, 3])('reads version %i in Fortran order', async (version) => {
    const cube = Array.from({ length: 2 }, (_, i) =>
      Array.from({ length: 3 }, (_, j) => Array.from({ length: 4 }, (_, k) => 12 * i + 4 * j + k)),
    )
    const array = await readNpy(testdata(`numpy-v${version}.npy`))
    expect([array.dtype, array.toArray()]).toEqual(['float32', cube])
  })

  it('reads scalars and empty arrays', async () => {
    expect((await readNpy(testdata('numpy-scalar.npy'))).item()).toBe(0.5)
    expect(await readNpy(testdata('numpy-empty.npy'))).toEqual(
      new NDArray('int32', [0, 3], new Int32Array(0)),
    )
  })

  it('writes what NumPy writes', async () => {
    for (const name of ['numpy-scalar.npy', 'numpy-empty.npy'])
      expect(writeNpy(await readNpy(testdata(name)))).toEqual(new Uint8Array(testdata(name)))
  })

  it.each(dtypeNames.filter((dtype) => dtype !== 'string' && dtype !== 'bfloat16'))(
    'gives back %s',
    async (dtype) => {
      const data = allocate(dtype, 6)
      for (let i = 0; i < 6; i++) setElement(dtype, data, i, i)
      const array = new NDArray(dtype, [3, 2], data)
      expect(await readNpy(writeNpy(array))).toEqual(array)
    },
  )

  it('refuses what NumPy or Shoal has not', async () => {
    expect(() => writeNpy(ndarray(['a']))).toThrow(DTypeError)
    expect(() => writeNpy(ndarray([1], 'bfloat16'))).toThrow(/cast to float32/)
    await expect(readNpy(testdata('numpy-text.npy'))).rejects.toThrow("elements of type '<U2' are not read")
    const npz = unzipSync(testdata('numpy-little.npz'))
    const tooLarge = npz['u8.npy']!.map((byte, i, all) => (i === all.length - 1 ? 255 : byte))
    await expect(readNpy(tooLarge)).rejects.toThrow('too large for int64')
  })

  it('does not believe sizes', async () => {
    const lie = writeNpyHeader({ descr: '<f4', fortranOrder: false, shape: [3_000_000_000] })
    await expect(readNpy(lie)).rejects.toThrow('more than 2147483648 bytes')
    await expect(readNpy(lie, { maxBytes: 2 ** 40 })).rejects.toThrow('truncated')
  })
})

describe('npz', () => {
  it.each(['numpy-little.npz', 'numpy-big-fortran.npz'])('reads every element type of %s', async (name) => {
    const arrays = await readNpz(testdata(name))
    const signed = [
      [-2, -1, 0],
      [1, 2, 3],
    ]
    const unsigned = [
      [0, 1, 2],
      [3, 4, 5],
    ]
    const quarters = signed.map((row) => row.map((x) => x / 4))
    const big = (rows: number[][]) => rows.map((row) => row.map(BigInt))
    expect(
      Object.fromEntries(Object.entries(arrays).map(([key, array]) => [key, [array.dtype, array.toArray()]])),
    ).toEqual({
      b1: [
        'bool',
        [
          [false, true, false],
          [true, false, true],
        ],
      ],
      i1: ['int8', signed],
      i2: ['int16', signed],
      i4: ['int32', signed],
      i8: ['int64', big(signed)],
      u1: ['uint8', unsigned],
      u2: [
        'int32',
        [
          [0, 1, 2],
          [3, 4, 65_535],
        ],
      ],
      u4: ['uint32', unsigned],
      u8: ['int64', big(unsigned)],
      f2: ['float16', quarters],
      f4: ['float32', quarters],
      f8: ['float64', quarters],
    })
  })

  it.each([true, false])('gives back what it wrote, compressed: %s', async (compress) => {
    const arrays = { x: ndarray([[1, 2]]), 'layer/b': ndarray([true]), __proto__x: ndarray([1n]) }
    const bytes = writeNpz(arrays, { compress })
    expect(await readNpz(bytes)).toEqual(arrays)
    expect(writeNpz(arrays, { compress })).toEqual(bytes)
  })

  it('notices corruption by the checksum', async () => {
    const bytes = writeNpz({ x: ndarray([1, 2, 3]) })
    const at = bytes.lastIndexOf(0x40, bytes.length - 60)
    const changed = bytes.map((byte, i) => (i === at ? 0x41 : byte))
    await expect(readNpz(changed)).rejects.toThrow("'x.npy' is corrupt: its checksum is wrong")
    await expect(readNpz(bytes.subarray(0, -1))).rejects.toThrow('its directory is missing')
    await expect(readNpz(zipSync({ 'a.txt': ascii('a') }))).rejects.toThrow("'a.txt' is not an .npy file")
    await expect(readNpz(bytes, { maxBytes: 100 })).rejects.toThrow('more than 100 bytes')
  })
})
