// What is used of TensorFlow.js; its own types are there only once the peers are installed.

/** A tensor of TensorFlow.js. */
export interface Tensor {
  readonly shape: readonly number[]
  data(): Promise<Float32Array>
  dataSync(): Float32Array
  dispose(): void
}
/** A variable of TensorFlow.js. */
export interface TfVariable extends Tensor {
  readonly assign: (value: Tensor) => void
}
/** An optimizer of TensorFlow.js. */
export interface TfOptimizer {
  minimize(loss: () => Tensor, returnCost: true, variables?: readonly TfVariable[]): Tensor
  dispose(): void
}
/** What is used of TensorFlow.js. */
export interface Tf {
  setBackend(name: string): Promise<boolean>
  ready(): Promise<void>
  backend(): unknown
  tensor(data: Float32Array | Int32Array, shape: readonly number[], dtype?: 'float32' | 'int32'): Tensor
  variable(initial: Tensor, trainable?: boolean, name?: string): TfVariable
  scalar(value: number): Tensor
  zeros(shape: readonly number[]): Tensor
  tidy<T extends Tensor | undefined>(work: () => T): T
  keep<T extends Tensor>(tensor: T): T
  add(a: Tensor, b: Tensor): Tensor
  sub(a: Tensor, b: Tensor): Tensor
  mul(a: Tensor, b: Tensor): Tensor
  div(a: Tensor, b: Tensor): Tensor
  tanh(x: Tensor): Tensor
  sigmoid(x: Tensor): Tensor
  sqrt(x: Tensor): Tensor
  sum(x: Tensor, axis?: number): Tensor
  reshape(x: Tensor, shape: readonly number[]): Tensor
  matMul(a: Tensor, b: Tensor, transposeA?: boolean, transposeB?: boolean): Tensor
  softmax(x: Tensor): Tensor
  relu(x: Tensor): Tensor
  moments(x: Tensor, axis: number, keepDims: boolean): { readonly mean: Tensor; readonly variance: Tensor }
  conv2d(x: Tensor, filter: Tensor, strides: number, padding: 'same'): Tensor
  conv2dTranspose(
    dy: Tensor,
    filter: Tensor,
    shape: readonly number[],
    strides: number,
    padding: 'same',
  ): Tensor
  depthwiseConv2d(x: Tensor, filter: Tensor, strides: number, padding: 'same'): Tensor
  maxPool(x: Tensor, size: number, strides: number, padding: 'valid'): Tensor
  oneHot(labels: Tensor, depth: number): Tensor
  unstack(x: Tensor, axis: number): Tensor[]
  basicLSTMCell(
    forgetBias: Tensor,
    kernel: Tensor,
    bias: Tensor,
    x: Tensor,
    c: Tensor,
    h: Tensor,
  ): [c: Tensor, h: Tensor]
  readonly losses: { softmaxCrossEntropy(oneHotLabels: Tensor, logits: Tensor): Tensor }
  readonly train: {
    adam(rate: number, beta1?: number, beta2?: number, epsilon?: number): TfOptimizer
    momentum(rate: number, momentum: number): TfOptimizer
    sgd(rate: number): TfOptimizer
  }
  engine(): { runKernel(name: string, inputs: object, attrs: object): Tensor }
}
