// Kernels that others bring: asked in order before the device's own, run alone and within Programs.
import type { Device, Kernel, Signature } from '@shoal/core'
import { add, matmul, placeholder, relu, Session } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { cpu } from './cpu.ts'
import type { HostKernels } from './hostKernels.ts'

/** Products of float32 matrices whose rows number `rows`, by plain loops that take part of a sum in scratch memory; counts its runs. */
function family(rows: number) {
  const ran: string[] = []
  const kernels: HostKernels = {
    name: `rows of ${rows}`,
    kernel(op, { inputs, outputs }, memory) {
      if (op !== 'MatMul' || outputs[0]!.shape[0] !== rows) return undefined
      const [n, k] = [outputs[0]!.shape[1]!, inputs[0]!.shape[1]!]
      return {
        workspaceBytes: 4,
        run(addresses) {
          ran.push(kernels.name)
          const at = (address: number, length: number) => new Float32Array(memory.buffer, address, length)
          const [a, b, c] = [
            at(addresses[0]!, rows * k),
            at(addresses[1]!, k * n),
            at(addresses[2]!, rows * n),
          ]
          const sum = at(addresses[3]!, 1)
          for (let i = 0; i < rows * n; i++) {
            sum[0] = 0
            for (let j = 0; j < k; j++) sum[0]! += a[Math.floor(i / n) * k + j]! * b[j * n + (i % n)]!
            c[i] = sum[0]!
          }
        },
      }
    },
  }
  return { kernels, ran }
}

const product = (rows: number): Signature => ({
  inputs: [
    { dtype: 'float32', shape: [rows, 2] },
    { dtype: 'float32', shape: [2, 2] },
  ],
  outputs: [{ dtype: 'float32', shape: [rows, 2] }],
  attrs: { transposeA: false, transposeB: false },
})

/** Multiplies by [[1, 2], [3, 4]] with a kernel alone. */
function multiply(device: Device, kernel: Kernel, rows: number): number[] {
  const bufferOf = (data: Float32Array) => {
    const buffer = device.alloc(data.byteLength)
    device.write(buffer, new Uint8Array(data.buffer))
    return buffer
  }
  const x = bufferOf(Float32Array.from({ length: rows * 2 }, (_, i) => i))
  const y = bufferOf(new Float32Array(rows * 2).fill(Number.NaN))
  const scratch = kernel.workspaceBytes > 0 ? [device.alloc(kernel.workspaceBytes)] : []
  kernel.launch([x, bufferOf(Float32Array.of(1, 2, 3, 4)), y, ...scratch])
  return [...new Float32Array((device.read(y) as Uint8Array).buffer)]
}

describe('kernels of other packages', () => {
  it('are asked in order, before the kernels of the device', () => {
    const [first, second] = [family(2), family(2)]
    const other = family(3)
    const device = cpu({ kernels: [undefined, other.kernels, first.kernels, second.kernels] })
    expect(multiply(device, device.kernel('MatMul', product(2)) as Kernel, 2)).toEqual([3, 4, 11, 16])
    expect([other.ran.length, first.ran.length, second.ran.length]).toEqual([0, 1, 0])
    expect(multiply(device, device.kernel('MatMul', product(3)) as Kernel, 3)).toEqual([3, 4, 11, 16, 19, 28])
    expect(other.ran).toHaveLength(1)
  })

  it('are named where a kernel says how it runs', () => {
    const device = cpu({ kernels: [family(2).kernels] })
    const scheduleOf = (kernel: unknown) => (kernel as Kernel).schedule!()
    expect(scheduleOf(device.kernel('MatMul', product(2)))).toBe(
      'MatMul of rows of 2, a function of the host',
    )
    const type = { dtype: 'float32', shape: [2, 2] } as const
    const factor = { inputs: [type], outputs: [type], attrs: {} }
    expect(scheduleOf(device.kernel('Cholesky', factor))).toBe('Cholesky, a function of the host')
    expect(scheduleOf(device.copy(4))).toBe('copy_4: 1 unit in 1 chunk')
  })

  it('leave what they do not take to the device', () => {
    const { kernels, ran } = family(2)
    const device = cpu({ kernels: [kernels] })
    expect(multiply(device, device.kernel('MatMul', product(1)) as Kernel, 1)).toEqual([3, 4])
    expect(ran).toEqual([])
  })

  it.each([1, 2])('are stages of Programs among kernels of the device, with %i threads', async (threads) => {
    const { kernels, ran } = family(2)
    await using session = new Session({ devices: [cpu({ threads, kernels: [kernels] })] })
    const x = placeholder({ shape: [2, 2], name: 'x' })
    const y = relu(
      add(
        matmul(add(x, 1), [
          [1, 2],
          [3, 4],
        ]),
        -13,
      ),
    )
    for (const [value, answer] of [
      [
        0,
        [
          [0, 0],
          [0, 0],
        ],
      ],
      [
        3,
        [
          [3, 11],
          [3, 11],
        ],
      ],
    ] as const)
      expect(
        (
          await session.run(y, {
            x: [
              [value, value],
              [value, value],
            ],
          })
        ).toArray(),
      ).toEqual(answer)
    expect(ran).toHaveLength(2)
  })

  it('are refused where the same bits are promised', () => {
    expect(() => cpu({ strict: true, kernels: [family(2).kernels] })).toThrow('rows of 2')
  })
})
