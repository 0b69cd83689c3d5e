// The model of the studies: layers of equal size, one after the other, whose products take the time that a study gives a step.
import { matmul, mean, ndarray, type NDArray, placeholder, square, sub, tanh, variable } from '@shoal/core'
import { type KernelWork, SimulatedDevice, type SimulatedProcess } from '@shoal/distributed'
import { cpu } from '@shoal/kernels-cpu'
import { type GradientPair, lossGradients } from '@shoal/train'
import { computeMs, layers, modelBytes } from './setting.ts'

/** Values between two layers, of which those with an even number have as many again as the others. */
const widthAt = (layer: number, scale: number): number =>
  Math.sqrt(modelBytes / 4 / layers / scale / 2) * (layer % 2 === 0 ? 2 : 1)

const wave = (shape: readonly number[], phase: number, size: number): NDArray =>
  ndarray(
    Float32Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      (_, i) => size * Math.sin(phase + 1.7 * i),
    ),
  ).reshape(shape)

/** Values that all replicas begin with; they are made once, and read by all. */
export class Beginning {
  readonly scale: number
  readonly weights: readonly NDArray[]
  /** An example. */
  readonly feeds: { readonly x: NDArray; readonly y: NDArray }

  /** @param scale see `Setting`. */
  constructor(scale: number) {
    this.scale = scale
    this.weights = Array.from({ length: layers }, (_, i) => {
      const [from, to] = [widthAt(i, scale), widthAt(i + 1, scale)]
      return wave([from, to], i, 1 / Math.sqrt(from))
    })
    this.feeds = { x: wave([1, widthAt(0, scale)], 1, 1), y: wave([1, widthAt(layers, scale)], 2, 0.5) }
  }

  /** Builds the model, and finds its gradients. */
  build(): readonly GradientPair[] {
    const { x, y } = this.feeds
    const variables = this.weights.map((values, i) => variable(values, { name: `layer${i}` }))
    const end = variables.reduce((h, w) => tanh(matmul(h, w)), placeholder({ shape: x.shape, name: 'x' }))
    return lossGradients(mean(square(sub(end, placeholder({ shape: y.shape, name: 'y' })))))
  }
}

/**
 * The device of a worker. A layer is one product forward and two backward, but the first, whose input nobody asks the gradient of; everything else is
 * little beside them, and takes no time.
 */
export function workerDevice(process: SimulatedProcess, scale: number): SimulatedDevice {
  const flopsOfStep = ((3 * layers - 1) * 2 * modelBytes) / 4 / layers / scale
  const kernelMs = ({ op, flops }: KernelWork): number =>
    op === 'MatMul' ? (flops / flopsOfStep) * computeMs : 0
  return new SimulatedDevice(process, { kernelMs, device: cpu({ threads: 1 }) })
}
