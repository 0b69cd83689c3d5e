// In-graph replication: one client, one graph, in which the same model stands once for each device.
import type { Gradient, Tensor, TensorLike, Variable } from '@shoal/core'
import {
  add,
  cast,
  colocateWith,
  concat,
  densify,
  device,
  div,
  GradientError,
  IndexedSlices,
  mul,
  scope,
  toTensor,
  ValueError,
} from '@shoal/core'
import type { GradientPair } from '@shoal/train'
import { lossGradients } from '@shoal/train'

/** What one device computes. */
export interface Tower {
  /** The mean loss over the examples of this tower, a float scalar. */
  readonly loss: Tensor
  /** How many those are, a scalar. Default: all towers count alike. */
  readonly examples?: TensorLike
}

/** All towers together. */
export interface Replicated {
  /** The mean loss over the examples of all towers. */
  readonly loss: Tensor
  /** The loss of each. */
  readonly losses: readonly Tensor[]
  /** The gradients of `loss`, averaged where the variables are: what `Optimizer.apply` takes. */
  readonly gradients: readonly GradientPair[]
}

/**
 * Builds a tower on each device, and averages their gradients by the number of examples.
 *
 *     const { loss, gradients } = replicate(['/job:worker/task:0', '/job:worker/task:1'], (i) => ({ loss: lossOf(shares[i]) }))
 *     const train = optimizer.apply(gradients)
 *
 * @param build is called for each device with its number; the variables are made before, as all towers share them.
 * @param variables default: the trainable ones that a tower's loss depends on.
 * @throws ValueError without devices, GradientError when towers do not depend on the same variables.
 */
export function replicate(
  devices: readonly string[],
  build: (tower: number) => Tower,
  variables?: readonly Variable[],
): Replicated {
  if (devices.length === 0) throw new ValueError('replicate: name at least one device')
  const towers = devices.map((name, i) =>
    device(name, () =>
      scope(`tower_${i}`, () => {
        const { loss, examples = 1 } = build(i)
        return { loss, weight: toFloat(toTensor(examples)), pairs: lossGradients(loss, variables) }
      }),
    ),
  )
  const total = towers.map(({ weight }) => weight).reduce((a, b) => add(a, b))
  const shares = towers.map(({ weight }) => div(weight, total))
  const trained = towers[0]!.pairs.map(([, variable]) => variable)
  const gradients = trained.map((variable): GradientPair => {
    const found = towers.map(({ pairs }) => pairs.find(([, { name }]) => name === variable.name)?.[0])
    const missing = found.indexOf(undefined)
    if (missing >= 0 || towers.some(({ pairs }) => pairs.length !== trained.length))
      throw new GradientError(
        `the towers on ${devices.join(', ')} do not depend on the same variables: make the variables before replicate, and use all of them in each`,
      )
    const build = (): Gradient => meanOf(found as Gradient[], shares)
    const { initial } = variable.resource
    return [initial ? colocateWith(initial, build) : build(), variable]
  })
  const losses = towers.map(({ loss }) => loss)
  return { loss: meanOf(losses, shares) as Tensor, losses, gradients }
}

const toFloat = (x: Tensor): Tensor => (x.dtype === 'float32' ? x : cast(x, { to: 'float32' }))

/** Σ share · gradient, of tensors or of rows. */
function meanOf(gradients: readonly Gradient[], shares: readonly Tensor[]): Gradient {
  const scaled = (x: Tensor, i: number): Tensor =>
    mul(x, x.dtype === 'float32' ? shares[i]! : cast(shares[i]!, { to: x.dtype }))
  const slices = gradients.filter((g) => g instanceof IndexedSlices)
  if (slices.length < gradients.length)
    return gradients.map((g, i) => scaled(densify(g), i)).reduce((a, b) => add(a, b))
  const [{ like }] = slices as [IndexedSlices]
  return new IndexedSlices(
    concat(
      slices.map((g, i) => scaled(g.values, i)),
      { axis: 0 },
    ),
    concat(
      slices.map(({ indices }) => (indices.dtype === 'int32' ? indices : cast(indices, { to: 'int32' }))),
      { axis: 0 },
    ),
    like,
  )
}
