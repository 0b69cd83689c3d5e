// How losses are summed up: the one convention that all of them share.
import type { Tensor } from '../../graph/graph.ts'
import { mean } from '../reduce/mean.ts'
import { sum } from '../reduce/sum.ts'

/** `none` keeps one loss for each example or element, `mean` and `sum` answer a scalar. */
export type Reduction = 'none' | 'mean' | 'sum'
/** What every loss takes. */
export interface LossOptions {
  /** Cross entropies and ctcLoss default to 'none', the others to 'mean'. */
  readonly reduction?: Reduction
}

/** The losses of all examples as the reduction wants them. */
export function reduced(losses: Tensor, reduction: Reduction): Tensor {
  return reduction === 'none' ? losses : reduction === 'mean' ? mean(losses) : sum(losses)
}
