// A layer too wide for one machine, cut in two: each device holds half of the hidden units and adds its share to the answer.
import type { Node, Tensor } from '@shoal/core'
import {
  addN,
  cast,
  device,
  heUniform,
  matmul,
  mean,
  mul,
  placeholder,
  relu,
  reshape,
  sparseSoftmaxCrossEntropy,
  variable,
} from '@shoal/core'
import { momentum } from '@shoal/train'

/** What is to be had from the network; it is fed 'images' uint8 [batch, 28, 28] and 'labels' uint8 [batch]. */
export interface SplitNetwork {
  /** The mean cross-entropy. */
  readonly loss: Tensor
  /** One step of training; each device updates the weights that it holds. */
  readonly step: Node
}

/**
 * Builds 784 → hidden → 10 with the hidden units shared out among devices, which are named as placement understands them.
 * A session that has fewer devices runs it all the same, on those it has.
 */
export function splitNetwork(hidden: number, devices: readonly string[]): SplitNetwork {
  const images = placeholder({ shape: ['batch', 28, 28], dtype: 'uint8', name: 'images' })
  const labels = placeholder({ shape: ['batch'], dtype: 'uint8', name: 'labels' })
  const x = mul(cast(reshape(images, { shape: [-1, 784] }), { to: 'float32' }), 1 / 255)
  const units = hidden / devices.length

  const shares = devices.map((name, i) =>
    device(name, () => {
      const into = variable(heUniform([784, units], { seed: 2 * i }), { name: `part${i}/into` })
      const out = variable(heUniform([units, 10], { seed: 2 * i + 1 }), { name: `part${i}/out` })
      return matmul(relu(matmul(x, into)), out)
    }),
  )
  const loss = mean(sparseSoftmaxCrossEntropy(addN(shares), cast(labels, { to: 'int32' })))
  return { loss, step: momentum({ learningRate: 0.02, momentum: 0.9 }).minimize(loss) }
}
