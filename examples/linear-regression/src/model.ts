// The plainest model there is, y = x w + b, and the plainest way to train it: small steps against the gradient.
import type { Tensor } from '@shoal/core'
import {
  add,
  concat,
  constant,
  gradients,
  group,
  lstsq,
  matmul,
  mul,
  onesLike,
  placeholder,
  slice,
  squaredDifference,
  mean,
  variable,
} from '@shoal/core'

/** Where data come in, and what is to be had from them. */
export function linearRegression(features: number, learningRate: number) {
  const x = placeholder({ shape: ['rows', features], name: 'x' })
  const y = placeholder({ shape: ['rows', 1], name: 'y' })
  const weights = variable(constant(new Array<number>(features).fill(0).map((zero) => [zero])), {
    name: 'weights',
  })
  const bias = variable([0], { name: 'bias' })

  const loss = mean(squaredDifference(add(matmul(x, weights), bias), y))
  const [dWeights, dBias] = gradients(loss, [weights, bias])
  const step = group(
    weights.assignSub(mul(dWeights!, learningRate)),
    bias.assignSub(mul(dBias!, learningRate)),
  )
  return { x, y, weights, bias, loss, step, exact: leastSquares(x, y) }
}

/** The answer that gradient descent must come to, by linear algebra: [weights…, bias] of the least squares, [features + 1, 1]. */
function leastSquares(x: Tensor, y: Tensor): Tensor {
  const ones = onesLike(slice(x, { begin: [0, 0], size: [-1, 1] }))
  return lstsq(concat([x, ones], { axis: 1 }), y)
}
