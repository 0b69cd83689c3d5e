// Distances between predictions and targets.
import type { Tensor } from '../../graph/graph.ts'
import { scope } from '../../graph/scope.ts'
import { mergeShapes } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { abs } from '../math/abs.ts'
import { add } from '../math/add.ts'
import { log } from '../math/log.ts'
import { minimum } from '../math/minimum.ts'
import { mul } from '../math/mul.ts'
import { neg } from '../math/neg.ts'
import { square } from '../math/square.ts'
import { squaredDifference } from '../math/squaredDifference.ts'
import { sub } from '../math/sub.ts'
import { xlogy } from '../math/xlogy.ts'
import { l2Normalize } from '../nn/l2Normalize.ts'
import { relu } from '../nn/relu.ts'
import { sum } from '../reduce/sum.ts'
import type { LossOptions } from './reduction.ts'
import { reduced } from './reduction.ts'

/** A loss of predictions and targets, which have one shape: broadcasting would hide a mistake. */
function loss<Options extends object>(
  name: string,
  build: (prediction: Tensor, target: Tensor, options: Options) => Tensor,
) {
  return (
    prediction: TensorLike,
    target: TensorLike,
    options: LossOptions & Options = {} as Options,
  ): Tensor =>
    scope(name, () => {
      const p = toTensor(prediction)
      const t = toTensor(target, p.dtype)
      mergeShapes(p.shape, t.shape, `${name}: prediction and target must have one shape`)
      return reduced(build(p, t, options), options.reduction ?? 'mean')
    })
}

/** (prediction - target)², by default the mean of all elements. */
export const meanSquaredError = loss('meanSquaredError', (p, t) => squaredDifference(p, t))

/** |prediction - target|, by default the mean of all elements. */
export const meanAbsoluteError = loss('meanAbsoluteError', (p, t) => abs(sub(p, t)))

/** Half the square of the error up to `delta` (default 1), beyond it linear: delta · (|error| - delta / 2). Huber, 1964. */
export const huber = loss('huber', (p, t, { delta = 1 }: { readonly delta?: number }) => {
  const error = abs(sub(p, t))
  const small = minimum(error, delta)
  return add(mul(square(small), 0.5), mul(sub(error, small), delta))
})

/** max(0, 1 - target · prediction) for targets of -1 and 1. */
export const hinge = loss('hinge', (p, t) => relu(sub(1, mul(t, p))))

/** Σ target · log(target / prediction) over the last axis, both being probabilities: one loss for each example. `epsilon` (default 1e-7) is added to the prediction. */
export const klDivergence = loss('klDivergence', (p, t, { epsilon = 1e-7 }: { readonly epsilon?: number }) =>
  sum(sub(xlogy(t, t), mul(t, log(add(p, epsilon)))), { axes: [-1] }),
)

/** -target · log(prediction + epsilon) - (1 - target) · log(1 - prediction + epsilon) for predicted probabilities; epsilon defaults to 1e-7. */
export const logLoss = loss('logLoss', (p, t, { epsilon = 1e-7 }: { readonly epsilon?: number }) =>
  neg(add(mul(t, log(add(p, epsilon))), mul(sub(1, t), log(add(sub(1, p), epsilon))))),
)

/** 1 - the cosine of the angle between prediction and target along `axis` (default the last): one loss for each pair of vectors. */
export const cosineDistance = loss('cosineDistance', (p, t, { axis = -1 }: { readonly axis?: number }) =>
  sub(1, sum(mul(l2Normalize(p, { axes: [axis] }), l2Normalize(t, { axes: [axis] })), { axes: [axis] })),
)
