// What is used of jax-js; its own types are there only once the peers are installed.

/** An array of jax-js. Every function takes over the arrays that it is given; `ref` keeps one for another use. */
export interface JaxArray {
  readonly ref: JaxArray
  readonly shape: readonly number[]
  add(other: JaxArray | number): JaxArray
  sub(other: JaxArray | number): JaxArray
  mul(other: JaxArray | number): JaxArray
  div(other: JaxArray | number): JaxArray
  reshape(shape: readonly number[]): JaxArray
  sum(axis?: number): JaxArray
  mean(): JaxArray
  max(): JaxArray
  neg(): JaxArray
  dataSync(): Float32Array
  blockUntilReady(): Promise<JaxArray>
  dispose(): void
}
/** Arrays by name, which jax-js calls a tree. */
export interface JaxTree {
  readonly [name: string]: JaxArray
}
type Compiled<A extends readonly unknown[], R> = ((...args: A) => R) & { dispose(): void }

/** What is used of jax-js. */
export interface Jax {
  init(device: 'wasm'): Promise<readonly string[]>
  defaultDevice(device: 'wasm'): void
  jit<A extends readonly unknown[], R>(f: (...args: A) => R): Compiled<A, R>
  grad<A extends readonly unknown[]>(f: (...args: A) => JaxArray): (...args: A) => A[0]
  valueAndGrad<A extends readonly unknown[]>(f: (...args: A) => JaxArray): (...args: A) => [JaxArray, A[0]]
  blockUntilReady<T>(tree: T): Promise<T>
  readonly tree: { ref<T>(tree: T): T; dispose(tree: unknown): void }
  readonly numpy: {
    readonly int32: unknown
    array(data: Float32Array | Int32Array, options?: { shape?: readonly number[]; dtype?: unknown }): JaxArray
    zeros(shape: readonly number[]): JaxArray
    matmul(a: JaxArray, b: JaxArray): JaxArray
    matrixTranspose(a: JaxArray): JaxArray
    tanh(x: JaxArray): JaxArray
    sqrt(x: JaxArray): JaxArray
    square(x: JaxArray): JaxArray
    split(x: JaxArray, sections: number, axis: number): JaxArray[]
    transpose(x: JaxArray, axes: readonly number[]): JaxArray
  }
  readonly nn: {
    relu(x: JaxArray): JaxArray
    sigmoid(x: JaxArray): JaxArray
    softmax(x: JaxArray, axis: number): JaxArray
    logSoftmax(x: JaxArray, axis: number): JaxArray
    standardize(x: JaxArray, axis: number, options: { epsilon: number }): JaxArray
    oneHot(labels: JaxArray, classes: number): JaxArray
  }
  readonly lax: {
    convGeneralDilated(
      x: JaxArray,
      filter: JaxArray,
      strides: readonly number[],
      padding: 'SAME',
      options?: { featureGroupCount?: number },
    ): JaxArray
    reduceWindow(
      x: JaxArray,
      f: (x: JaxArray) => JaxArray,
      window: readonly number[],
      strides: readonly number[],
    ): JaxArray
  }
}
