// What linear algebra infers, refuses, and reports of singular matrices.
import { describe, expect, it } from 'vitest'
import { AttrError, GradientError, RunError, ShapeError } from '../../errors.ts'
import { gradients } from '../../autodiff/gradients.ts'
import { Session } from '../../run/session.ts'
import { placeholder } from '../graph/placeholder.ts'
import { constant } from '../constant.ts'
import { cholesky } from './cholesky.ts'
import { determinant } from './determinant.ts'
import { einsum } from './einsum.ts'
import { inverse } from './inverse.ts'
import { lstsq } from './lstsq.ts'
import { tensordot } from './products.ts'
import { qr } from './qr.ts'
import { solve } from './solve.ts'
import { svd } from './svd.ts'

const matrix = (...shape: (number | string)[]) => placeholder({ shape })

describe('shapes', () => {
  it('are inferred with names', () => {
    expect(solve(matrix('b', 'n', 'n'), matrix('b', 'n', 3)).shape).toEqual(['b', 'n', 3])
    expect(lstsq(matrix('m', 2), matrix('m', 4)).shape).toEqual([2, 4])
    expect(determinant(matrix('b', 3, 3)).shape).toEqual(['b'])
    expect(qr(matrix(5, 3)).map((t) => t.shape)).toEqual([
      [5, 3],
      [3, 3],
    ])
    expect(qr(matrix(5, 3), { full: true }).map((t) => t.shape)).toEqual([
      [5, 5],
      [5, 3],
    ])
    expect(svd(matrix('m', 3)).map((t) => t.shape)).toEqual([['?'], ['m', '?'], [3, '?']])
    expect(einsum('bij,jk->bik', matrix('b', 2, 'n'), matrix('n', 4)).shape).toEqual(['b', 2, 4])
  })
  it('that do not fit are refused with both of them', () => {
    expect(() => inverse(matrix(2, 3))).toThrow(ShapeError)
    expect(() => cholesky(matrix(3))).toThrow('needs matrices')
    expect(() => solve(matrix(2, 2), matrix(3, 1))).toThrow('different numbers of rows')
    expect(() => solve(matrix(4, 2, 2), matrix(3, 2, 1))).toThrow('batch axes must be equal')
  })
})

describe('einsum', () => {
  it.each([
    ['ij,jk->ik', [[2, 3]], '2 terms for 1 operands'],
    ['ij->ik', [[2, 3]], "names 'k'"],
    ['ij->ii', [[2, 2]], 'a label twice'],
    ['i1->i', [[2, 2]], 'may have letters'],
    ['ij->i->j', [[2, 2]], 'more than one ->'],
    ['...i->i', [[2, 2]], 'needs the ellipsis too'],
  ] as const)('refuses %s', (equation, shapes, message) => {
    const operands = shapes.map((shape) => matrix(...shape))
    expect(() => einsum(equation, ...operands)).toThrow(AttrError)
    expect(() => einsum(equation, ...operands)).toThrow(message)
  })
  it('refuses operands that do not fit', () => {
    expect(() => einsum('ij,jk', matrix(2, 3), matrix(4, 5))).toThrow("label 'j' has two sizes: 3 and 4")
    expect(() => einsum('ijk', matrix(2, 3))).toThrow(ShapeError)
    expect(() => tensordot(matrix(2, 3), matrix(2, 3), [[0], []])).toThrow(AttrError)
  })
})

describe('matrices without a solution', () => {
  it('fail the run, and the session goes on', async () => {
    const session = new Session()
    const singular = constant([
      [1, 2],
      [2, 4],
    ])
    await expect(session.run(inverse(singular))).rejects.toThrow(RunError)
    await expect(
      session.run(
        cholesky(
          constant([
            [1, 2],
            [2, 1],
          ]),
        ),
      ),
    ).rejects.toThrow('not positive definite')
    expect((await session.run(determinant(singular))).item()).toBeCloseTo(0)
  })
  it('have no gradient where the factorisation has none', () => {
    const a = matrix(4, 2)
    expect(() => gradients([...qr(a, { full: true })], [a])).toThrow(GradientError)
  })
})
