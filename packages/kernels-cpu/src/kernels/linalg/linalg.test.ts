import type { Device, DType } from '@shoal/core'
import { ndarray, placeholder, qr, reference, Session, triangularSolve } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { cpu, type CpuDevice } from '../../cpu.ts'

type Values = ReturnType<typeof random>
type Input = ReturnType<typeof placeholder>

/** Numbers of a linear congruential generator in [-1, 1), as an array of a shape. */
function random(shape: readonly number[], dtype: DType, seed: number) {
  let state = seed
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return state / 2 ** 31
  }
  const size = shape.reduce((product, n) => product * n, 1)
  return ndarray(Array.from({ length: size }, next), dtype).reshape(shape)
}

/** What a device answers. Values are fed, so that nothing is computed while compiling. */
async function answer(
  device: Device,
  values: readonly Values[],
  build: (...inputs: Input[]) => readonly Input[],
): Promise<number[][]> {
  await using session = new Session({ devices: [device] })
  const inputs = values.map(({ shape, dtype }) => placeholder({ shape, dtype }))
  const fetches = build(...inputs)
  const feeds = inputs.map((input, i) => [input, values[i]!] as const)
  await session.run(fetches, feeds)
  // From now on threads take their shares.
  await (device as Partial<CpuDevice>).ready?.()
  const fetched = await session.run(fetches, feeds)
  return fetched.map((value) => value.numbers() as number[])
}

/** With and without fused multiply-add the kernel agrees with the definition, and threads change no bit. */
async function expectAgreement(
  values: readonly Values[],
  build: (...inputs: Input[]) => readonly Input[],
): Promise<void> {
  const expected = await answer(reference(), values, build)
  const digits = values[0]!.dtype === 'float64' ? 10 : 4
  for (const relaxed of [false, true]) {
    const actual = await answer(cpu({ relaxed }), values, build)
    expected.forEach((numbers, o) => {
      numbers.forEach((x, i) => expect(actual[o]![i]).toBeCloseTo(x, digits))
    })
    expect(await answer(cpu({ relaxed, threads: 3 }), values, build)).toEqual(actual)
  }
}

describe('Qr', () => {
  it('agrees with the definition for all shapes, reduced and full', async () => {
    for (const dtype of ['float32', 'float64'] as const)
      for (const shape of [
        [1, 1],
        [7, 4],
        [4, 7],
        [2, 3, 20, 20],
        [33, 12],
        [3, 0],
      ])
        for (const full of [false, true])
          await expectAgreement([random(shape, dtype, 3)], (a) => [...qr(a!, { full })])
  })

  it('leaves columns alone that are zero below the diagonal', async () => {
    const a = ndarray([2, 5, -3, 0, 0, 4, 0, 0, 6], 'float64').reshape([3, 3])
    await expectAgreement([a], (x) => [...qr(x!)])
  })
})

describe('TriangularSolve', () => {
  /** Systems whose other triangle holds NaN: it must not be read. */
  function system(batch: readonly number[], n: number, columns: number, dtype: DType, lower: boolean) {
    const a = random([...batch, n, n], dtype, 5)
    const kept = a.numbers().map((x, at) => {
      const [i, k] = [Math.floor(at / n) % n, at % n]
      if (i === k) return 3 + Number(x)
      return lower === k < i ? Number(x) / 2 : Number.NaN
    })
    return [ndarray(kept, dtype).reshape([...batch, n, n]), random([...batch, n, columns], dtype, 7)]
  }

  it('agrees with the definition for both triangles, transposed or not', async () => {
    for (const dtype of ['float32', 'float64'] as const)
      for (const lower of [false, true])
        for (const adjoint of [false, true])
          for (const [batch, n, columns] of [
            [[], 1, 1],
            [[], 9, 5],
            [[2, 3], 6, 16],
            [[3], 20, 37],
          ] as const)
            await expectAgreement(system(batch, n, columns, dtype, lower), (a, b) => [
              triangularSolve(a!, b!, { lower, adjoint }),
            ])
  })

  it('shares columns among threads', async () => {
    await expectAgreement(system([], 60, 200, 'float32', true), (a, b) => [
      triangularSolve(a!, b!, { lower: true }),
    ])
  })
})

describe('many small matrices', () => {
  it('need little memory beside their own, and agree with the definition', async () => {
    const a = random([5000, 3, 3], 'float32', 3)
    const b = random([5000, 3, 1], 'float32', 5)
    const device = cpu()
    const [matrices, columns] = [a, b].map(({ dtype, shape }) => ({ dtype, shape }))
    const solving = {
      inputs: [matrices!, columns!],
      outputs: [columns!],
      attrs: { lower: true, adjoint: false },
    }
    const splitting = { inputs: [matrices!], outputs: [matrices!, matrices!], attrs: { full: false } }
    for (const kernel of [device.kernel('TriangularSolve', solving), device.kernel('Qr', splitting)])
      expect((await kernel).workspaceBytes).toBeLessThan(10_000)
    await device[Symbol.asyncDispose]()
    const regular = ndarray(
      a.numbers().map((x, at) => ((at % 9) % 4 === 0 ? 3 : Number(x))),
      'float32',
    ).reshape([5000, 3, 3])
    await expectAgreement([regular, b], (x, y) => [triangularSolve(x!, y!, { lower: true })])
    await expectAgreement([regular], (x) => [...qr(x!)])
  })
})
