// As little as possible with TensorFlow.js.
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-wasm'

await tf.setBackend('wasm')
const x = tf.tensor2d([
  [1, 2],
  [3, 4],
])
console.log(tf.matMul(x, x).arraySync())
