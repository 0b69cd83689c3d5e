import { describe, expect, it } from 'vitest'
import { gradients } from '../../autodiff/gradients.ts'
import { Session } from '../../run/session.ts'
import { constant } from '../constant.ts'
import { placeholder } from '../graph/placeholder.ts'
import { sparseSoftmaxCrossEntropy, softmaxCrossEntropy } from './crossEntropy.ts'
import { ctcLoss } from './ctcLoss.ts'
import { meanSquaredError } from './losses.ts'

const input = (...shape: (number | string)[]) => placeholder({ shape, dtype: 'float32' })

describe('losses', () => {
  it('refuse shapes that would only broadcast', () => {
    expect(() => meanSquaredError(input(4, 1), input(4))).toThrow(
      /meanSquaredError: prediction and target must have one shape/,
    )
    expect(() => softmaxCrossEntropy(input(4, 3), input(3))).toThrow(/logits and labels must have one shape/)
    expect(() => sparseSoftmaxCrossEntropy(input(4, 3), constant([[1]], 'int32'))).toThrow(
      /without the last axis/,
    )
  })
  it('of logits are one for each example, of predictions a scalar, unless told otherwise', () => {
    expect(softmaxCrossEntropy(input('batch', 3), input('batch', 3)).shape).toEqual(['batch'])
    expect(meanSquaredError(input('batch', 3), input('batch', 3)).shape).toEqual([])
    expect(meanSquaredError(input('batch', 3), input('batch', 3), { reduction: 'none' }).shape).toEqual([
      'batch',
      3,
    ])
  })
  it('of labels that are certain stay finite where softmax is 0', async () => {
    await using session = new Session()
    expect((await session.run(sparseSoftmaxCrossEntropy([[1000, 0]], [1]))).numbers()).toEqual([1000])
  })
})

describe('ctcLoss', () => {
  it('of labels that cannot fit is Infinity, and nothing flows back', async () => {
    const logits = constant([[[0, 1, 2]], [[0, 1, 2]]])
    // A repeated label needs a blank between: three steps, and there are two.
    const loss = ctcLoss(logits, [[1, 1]], [2], [2])
    await using session = new Session()
    const [value, back] = await session.run([loss, gradients(loss, [logits])[0]!])
    expect(value!.numbers()).toEqual([Infinity])
    expect(back!.numbers()).toEqual([0, 0, 0, 0, 0, 0])
  })
  it('has no second gradient and says so', () => {
    const logits = constant([[[0, 1, 2]]])
    const [first] = gradients(ctcLoss(logits, [[1]], [1], [1]), [logits])
    expect(() => gradients(first!, [logits])).toThrow(/CtcLoss.*second order/)
  })
  it('wants one label row for each sequence', () => {
    expect(() => ctcLoss(input('time', 2, 3), constant([[1]], 'int32'), [1], [1])).toThrow(
      /logits and labels differ in batch size/,
    )
    expect(() => ctcLoss(input('time', 1, 3), constant([[1]], 'int32'), [1], [1], { blank: 3 })).toThrow(
      /blank 3 is not one of 3 classes/,
    )
  })
})
