// Clipping: gradients made smaller before a step, so that one bad batch cannot throw the variables far away.
import type { Gradient, Tensor } from '@shoal/core'
import { addN, cast, clip, div, IndexedSlices, maximum, mul, scope, sqrt, square, sum } from '@shoal/core'
import type { GradientPair } from './optimizer.ts'
import { demandRange } from './range.ts'
import { mergeRows } from './rows.ts'

/** Other gradients for the same variables. */
export type Clip = (pairs: readonly GradientPair[]) => GradientPair[]

/** Each element is brought between -`limit` and `limit`. @throws AttrError for a negative limit. */
export function clipByValue(limit: number): Clip {
  demandRange('clipByValue: the limit', limit, 0)
  return clipEach('clipByValue', (values) => clip(values, { min: -limit, max: limit }))
}

/** Each gradient that is longer than `maxNorm` (Euclidean) is scaled down to that length. @throws AttrError for a negative one. */
export function clipByNorm(maxNorm: number): Clip {
  demandRange('clipByNorm: the norm', maxNorm, 0)
  return clipEach('clipByNorm', (values) => shorten(values, sqrt(sum(square(values))), maxNorm))
}

/**
 * All gradients are scaled by one factor so that together they are no longer than `maxNorm`; their direction stays.
 * Pascanu et al., 2013. The norm is taken in float32 when the dtypes differ. @throws AttrError for a negative norm.
 */
export function clipByGlobalNorm(maxNorm: number): Clip {
  demandRange('clipByGlobalNorm: the norm', maxNorm, 0)
  return (pairs) =>
    scope('clipByGlobalNorm', () => {
      const merged = pairs.map(([gradient, variable]) => [mergedRows(gradient), variable] as const)
      const norm = globalNorm(merged.map(([gradient]) => gradient))
      return merged.map(([gradient, variable]) => [
        withValues(gradient, (values) => shorten(values, cast(norm, { to: values.dtype }), maxNorm)),
        variable,
      ])
    })
}

/** √Σx² over all elements of all gradients: a scalar of their dtype, or float32 when these differ. Rows named twice are added up first. */
export function globalNorm(gradients: readonly Gradient[]): Tensor {
  const values = gradients.map(mergedRows).map(valuesOf)
  const [first] = values
  const dtype = first && values.every((x) => x.dtype === first.dtype) ? first.dtype : 'float32'
  return sqrt(addN(values.map((x) => cast(sum(square(x)), { to: dtype }))))
}

const valuesOf = (gradient: Gradient): Tensor =>
  gradient instanceof IndexedSlices ? gradient.values : gradient
const mergedRows = (gradient: Gradient): Gradient =>
  gradient instanceof IndexedSlices ? mergeRows(gradient) : gradient

function withValues(gradient: Gradient, change: (values: Tensor) => Tensor): Gradient {
  if (!(gradient instanceof IndexedSlices)) return change(gradient)
  return new IndexedSlices(change(gradient.values), gradient.indices, gradient.like)
}

const clipEach =
  (name: string, change: (values: Tensor) => Tensor): Clip =>
  (pairs) =>
    scope(name, () =>
      pairs.map(([gradient, variable]) => [withValues(mergedRows(gradient), change), variable]),
    )

/** x · maxNorm / max(norm, maxNorm): unchanged where it is short enough, without a division by zero where it is zero. */
const shorten = (x: Tensor, norm: Tensor, maxNorm: number): Tensor =>
  maxNorm === 0 ? mul(x, 0) : mul(x, div(maxNorm, maximum(norm, maxNorm)))
