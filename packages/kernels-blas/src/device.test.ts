// The cpu device with BLAS is a device as any other, also where every product is one of the library's.
import { deviceSuite } from '@shoal/conformance/suites'
import { fixedSize, NotFoundError } from '@shoal/core'
import { cpu } from '@shoal/kernels-cpu'
import { expect, it } from 'vitest'
import { blas, kernelsOf } from './blas.ts'
import { findLibrary, type Library } from './library.ts'

const library = findLibrary({})
/** Cases are small: the library is to take them all the same. */
const always = { matmul: () => true, conv: () => true }

function proven(opened: Library): void {
  deviceSuite('cpu with blas', () => cpu({ kernels: [kernelsOf(opened, always)] }), {
    dtypes: fixedSize,
    share: 'evens',
  })
}

function leftOut(): void {
  it('device cpu with blas is left out: there is no BLAS library on this machine', () =>
    expect(() => blas()).toThrow(NotFoundError))
}

if (library) proven(library)
else leftOut()
