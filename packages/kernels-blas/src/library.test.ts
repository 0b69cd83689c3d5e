// How libraries are found and refused, and that their functions compute where they are pointed to.
import { NotFoundError, ValueError } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { blas, findBlas } from './blas.ts'
import { findLibrary, type Library, openLibrary } from './library.ts'

describe('openLibrary', () => {
  it('names what it looked for', () => {
    expect(() => openLibrary({ library: 'no-such-library.so' })).toThrow(NotFoundError)
    expect(() => openLibrary({ library: 'no-such-library.so' })).toThrow(
      'looked for no-such-library.so (not there). Install one',
    )
  })

  it('takes no library that multiplies nothing', () => {
    // Part of every system of its kind.
    const others = { linux: 'libm.so.6', darwin: '/usr/lib/libSystem.B.dylib', win32: 'kernel32.dll' }
    const library = others[process.platform as keyof typeof others]
    expect(() => openLibrary({ library })).toThrow(`${library} (has no cblas_sgemm`)
  })

  it('refuses numbers of threads that are none', () => {
    for (const threads of [0, -1, 1.5, Number.NaN, '2' as never])
      expect(() => openLibrary({ threads })).toThrow('threads must be a whole number')
  })

  it('refuses options that there are not, and names that are none', () => {
    for (const make of [blas, findBlas]) {
      expect(() => make({ library: 5 as never })).toThrow(
        `${make.name}: library must be a string that is not empty, got 5`,
      )
      expect(() => make({ library: '' })).toThrow(ValueError)
      expect(() => make({ thread: 2 } as never)).toThrow("library, threads; there is no 'thread'")
      expect(() => make('libopenblas.so.0' as never)).toThrow("it was given 'libopenblas.so.0'")
    }
  })

  it('fails where a library has a name, and is not there', () => {
    for (const make of [blas, findBlas])
      expect(() => make({ library: 'no-such-library.so' })).toThrow(
        expect.objectContaining({
          name: 'NotFoundError',
          message: expect.stringContaining('no-such-library.so'),
        }),
      )
  })
})

const found = findLibrary({})
if (found) withLibrary(found)
else withoutLibrary()

function attempt(make: () => unknown): unknown {
  try {
    return make()
  } catch (error) {
    return error
  }
}

function withoutLibrary(): void {
  it('there is no BLAS library on this machine: its functions are not tested', () =>
    expect([findBlas(), attempt(blas)]).toEqual([undefined, expect.any(NotFoundError)]))
}

function withLibrary(library: Library): void {
  it('is found without a name, and by one', () => {
    expect(findBlas()?.name).toBe(`blas of ${library.name}`)
    expect(openLibrary({ library: library.name, threads: 1 }).name).toBe(library.name)
  })

  it.each(['float32', 'float64'] as const)(
    'multiplies %s at addresses, and adds where it is asked to',
    (dtype) => {
      const memory = new (dtype === 'float32' ? Float32Array : Float64Array)(32)
      memory.set([1, 2, 3, 4, 5, 6, /* b: */ 1, 0, 0, 1, 1, 1])
      const { BYTES_PER_ELEMENT: bytes } = memory
      const at = (index: number) => library.addressOf(new Uint8Array(memory.buffer)) + index * bytes
      memory.fill(Number.NaN, 12, 16)
      library[dtype].gemm(false, false, 2, 2, 3, at(0), 3, at(6), 2, 0, at(12), 2)
      expect([...memory.subarray(12, 16)]).toEqual([4, 5, 10, 11])
      library[dtype].gemm(true, true, 2, 2, 3, at(0), 2, at(6), 3, 1, at(12), 2)
      expect([...memory.subarray(12, 16)]).toEqual([5, 14, 12, 23])
      library[dtype].gemv(false, 2, 3, at(0), at(6), at(16))
      expect([...memory.subarray(16, 18)]).toEqual([1, 4])
      library[dtype].gemv(true, 2, 3, at(0), at(9), at(20))
      expect([...memory.subarray(20, 23)]).toEqual([5, 7, 9])
    },
  )
}
