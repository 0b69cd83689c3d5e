// Gradients by hyper-parameters: training for some steps is itself a graph, so what it comes to can be differentiated by all that went in.
// Maclaurin et al., Gradient-Based Hyperparameter Optimization through Reversible Learning, 2015; Franceschi et al., Forward and Reverse Gradient-Based Hyperparameter Optimization, 2017.
import type { Tensor } from '@shoal/core'
import { gradients, scope, ShapeError, ValueError } from '@shoal/core'

/** A training as a graph. */
export interface UnrollOptions<H extends Readonly<Record<string, Tensor>>> {
  /** What is trained, as it is before the first step. */
  readonly initial: readonly Tensor[]
  /** How many steps are unrolled: memory and time grow with it, as all steps are kept for the way back. */
  readonly steps: number
  /** The training loss, a scalar, of step `step`, counted from 0. It may depend on hyper-parameters: on the strength of a penalty. */
  readonly loss: (parameters: readonly Tensor[], step: number) => Tensor
  /** One parameter after a step: `sub(parameter, mul(rate, gradient))`. It may depend on hyper-parameters. */
  readonly update: (parameter: Tensor, gradient: Tensor, step: number) => Tensor
  /** What the hyper-parameters are judged by, a scalar: the loss on examples that were not trained on. */
  readonly validation: (parameters: readonly Tensor[]) => Tensor
  /** The hyper-parameters by name: float tensors, placeholders mostly. */
  readonly by: H
}

/** What a training comes to. */
export interface Unrolled<H extends Readonly<Record<string, Tensor>>> {
  /** The validation loss after the last step. */
  readonly validation: Tensor
  /** Its derivatives by the hyper-parameters, of their shapes. */
  readonly gradients: { readonly [K in keyof H]: Tensor }
  /** What was trained, after the last step. */
  readonly parameters: readonly Tensor[]
}

/**
 * Unrolls a training into a graph, and differentiates the validation loss after its last step by hyper-parameters. Gradients go through the gradients of every step,
 * so all ops of the loss need second derivatives.
 * @throws ValueError without parameters, and for a number of steps that is not whole and above 0; ShapeError for losses that are no scalars;
 * GradientError where an op has no gradient
 */
export function unroll<const H extends Readonly<Record<string, Tensor>>>(
  options: UnrollOptions<H>,
): Unrolled<H> {
  const { initial, steps, loss, update, validation, by } = options
  if (initial.length === 0) throw new ValueError('unroll: there are no parameters to train')
  if (!Number.isSafeInteger(steps) || steps < 1)
    throw new ValueError(`unroll: steps must be a whole number from 1, got ${steps}`)
  return scope('unroll', () => {
    let parameters: readonly Tensor[] = initial
    for (let step = 0; step < steps; step++) {
      const before = parameters
      const slopes = gradients(scalar(loss(before, step), 'loss'), before)
      parameters = before.map((parameter, i) => update(parameter, slopes[i]!, step))
    }
    const reached = scalar(validation(parameters), 'validation')
    const names = Object.keys(by)
    const found = gradients(
      reached,
      names.map((name) => by[name]!),
    )
    const slopes = Object.fromEntries(names.map((name, i) => [name, found[i]!]))
    return { validation: reached, gradients: slopes as { readonly [K in keyof H]: Tensor }, parameters }
  })
}

function scalar(tensor: Tensor, what: string): Tensor {
  if (tensor.rank !== 0)
    throw new ShapeError(
      `unroll: the ${what} must be a scalar, it has the shape [${tensor.shape.join(', ')}]`,
      {
        node: tensor.node,
      },
    )
  return tensor
}
