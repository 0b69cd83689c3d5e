// Random fused kernels: a device must compute what the interpreter computes, up to the error that the operations allow.
import type { Buffer, Device, DType, FusedKernel, TypedArray } from '@shoal/core'
import {
  collapseAxes,
  dtypes,
  getElement,
  interpretKernel,
  mayShare,
  verifyKernel,
  viewOf,
} from '@shoal/core'
import { expect } from 'vitest'
import { Random } from '../random.ts'
import type { ErrorBound, RandomKernel } from './randomKernel.ts'
import { randomKernel } from './randomKernel.ts'

/** The distance from 1 to the next number. */
const epsilon: Partial<Record<DType, number>> = {
  float32: 2 ** -23,
  float64: 2 ** -52,
  float16: 2 ** -10,
  bfloat16: 2 ** -7,
}

/**
 * Runs the random kernel number `seed` on a device and on the interpreter.
 * @param allowed dtypes that the device has.
 * @throws AssertionError with the seed and the kernel when they differ.
 */
export async function checkRandomKernel(
  device: Device,
  seed: number,
  allowed: readonly DType[],
): Promise<void> {
  const random = randomKernel(new Random(`kernel ${seed}`), allowed, Math.min(8, device.caps.maxBuffers))
  verifyKernel(random.kernel)
  const { kernel, inputs } = random
  const expected = interpretKernel(kernel, inputs)
  compare(await runKernel(device, random), 'apart')
  const collapsed = collapseAxes(kernel)
  compare(await runKernel(device, { ...random, kernel: collapsed }, inPlace(collapsed)), 'in place')
  function compare(actual: readonly TypedArray[], how: string): void {
    kernel.stores.forEach(({ dtype, length }, output) => {
      const allowedError = errorOf(dtype, random.bounds[output]!)
      for (let i = 0; i < length; i++) {
        const [x, y] = [actual, expected].map((outputs) => getElement(dtype, outputs[output]!, i))
        if (Object.is(x, y) || x === y || Math.abs(Number(x) - Number(y)) <= allowedError) continue
        expect.fail(
          `kernel ${seed}: element ${i} of output ${output}, ${how}, is ${x}, the interpreter says ${y} (within ${allowedError})\n${print(kernel)}`,
        )
      }
    })
  }
}

/** For each output the input whose memory it takes, if it may. */
function inPlace(kernel: FusedKernel): (number | undefined)[] {
  const taken = new Set<number>()
  return kernel.stores.map((_, output) => {
    const input = kernel.inputs.findIndex((_input, i) => !taken.has(i) && mayShare(kernel, i, output))
    if (input < 0) return undefined
    taken.add(input)
    return input
  })
}

/** What a stored value may be off by: the error of computing it and that of rounding it. */
function errorOf(dtype: DType, { error, magnitude }: ErrorBound): number {
  if (dtypes[dtype].kind !== 'float') return 0
  const { compute } = dtypes[dtype]
  const storing = compute === dtype ? 0 : magnitude * epsilon[dtype]!
  return error * epsilon[compute]! + storing
}

async function runKernel(
  device: Device,
  { kernel, inputs }: Pick<RandomKernel, 'kernel' | 'inputs'>,
  sharing: readonly (number | undefined)[] = [],
): Promise<TypedArray[]> {
  const held: Buffer[] = []
  const alloc = (size: number): Buffer => {
    const buffer = device.alloc(size)
    held.push(buffer)
    return buffer
  }
  try {
    const args = inputs.map((data) => {
      const buffer = alloc(data.byteLength)
      device.write(buffer, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      return buffer
    })
    const outputs = kernel.stores.map(({ dtype, length }, i) => {
      const input = sharing[i]
      return input === undefined ? alloc(length * dtypes[dtype].bytes) : args[input]!
    })
    const fused = await device.fuse(kernel)
    const scratch = fused.workspaceBytes > 0 ? [alloc(fused.workspaceBytes)] : []
    fused.launch([...args, ...outputs, ...scratch])
    return await Promise.all(
      kernel.stores.map(async ({ dtype, length }, i) => {
        const answer = await device.read(outputs[i]!)
        const bytes = answer.slice(0, length * dtypes[dtype].bytes)
        return viewOf(dtype as Exclude<DType, 'string'>, bytes, length)
      }),
    )
  } finally {
    held.forEach((buffer) => device.free(buffer))
  }
}

const print = (kernel: unknown): string =>
  JSON.stringify(kernel, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
