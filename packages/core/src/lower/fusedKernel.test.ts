import { describe, expect, it } from 'vitest'
import {
  add,
  concat,
  constant,
  exp,
  mean,
  mul,
  NDArray,
  pad,
  placeholder,
  reference,
  reverse,
  Session,
  slice,
  softmax,
  sum,
  tile,
  transpose,
} from '../index.ts'
import type { Device, FusedKernel, Tensor } from '../index.ts'
import { verifyKernel } from '../ir/verify.ts'

/** A reference device that notes the kernels that it is asked for, after checking that they are legal. */
function noting(kernels: FusedKernel[]): Device {
  const device = reference()
  const { fuse } = device
  device.fuse = (kernel) => {
    verifyKernel(kernel)
    kernels.push(kernel)
    return fuse.call(device, kernel)
  }
  return device
}

const x = placeholder({ shape: [4, 6], name: 'x' })

describe('fused kernels', () => {
  it.each<[string, Tensor]>([
    ['softmax', softmax(x)],
    [
      'views upon views',
      exp(
        slice(reverse(transpose(pad(x, { before: [1, 0], after: [0, 2] })), { axes: [0] }), {
          begin: [1, 0],
          size: [5, 4],
        }),
      ),
    ],
    ['tiles and sums', sum(tile(x, { times: [2, 3] }), { axes: [0] })],
    ['a reduction with an epilogue', mul(add(mean(mul(x, x), { axes: [1], keepDims: true }), 1), 2)],
    ['a concatenation', exp(concat([x, mul(x, 2)], { axis: 1 }))],
    ['nothing', sum(slice(x, { begin: [0, 0], size: [0, 6] }), { axes: [0] })],
  ])('of %s are legal', (_, fetch) => {
    const kernels: FusedKernel[] = []
    const session = new Session({ devices: [noting(kernels)] })
    session.runSync(fetch, [[x, new NDArray('float32', [4, 6], new Float32Array(24).fill(0.5))]])
    expect(kernels.length).toBeGreaterThan(0)
  })
  it('run over one axis where the shape does not matter', () => {
    const kernels: FusedKernel[] = []
    new Session({ devices: [noting(kernels)] }).runSync(add(exp(x), constant(1)), { x: new Float32Array(24) })
    expect(kernels.map((k) => k.axes)).toEqual([[24]])
  })
})
