import { describe, expect, it } from 'vitest'
import { cpu } from '../cpu.ts'
import { candidatesFor } from './tile.ts'
import { isTuning, knownTiles, measuredTiles, measureTuning, type Tuning } from './tuning.ts'

describe('measureTuning', () => {
  const tiles = (nanoseconds: number) => candidatesFor(false).map((tile) => ({ ...tile, nanoseconds }))

  it('keeps what it has measured', () => {
    const measured: string[] = []
    const measuring = (arithmetic: string) => {
      measured.push(arithmetic)
      return tiles(measured.length)
    }
    expect(knownTiles('f64')).toBeUndefined()
    for (let call = 0; call < 2; call++) expect(measuredTiles('f64', measuring)).toEqual(tiles(1))
    expect(knownTiles('f64')).toEqual(tiles(1))
    expect(measured).toEqual(['f64'])
    expect(measureTuning(['f64'])).toEqual({ f64: tiles(1) })
  })

  it('answers costs as plain data, or nothing where the machine is too busy', () => {
    const tuning = measureTuning(['f32'])
    expect(isTuning(tuning)).toBe(true)
    expect(JSON.parse(JSON.stringify(tuning))).toEqual(tuning)
    const measured = tuning.f32 ?? []
    expect(measured.map(({ rows, vectors }) => ({ rows, vectors }))).toEqual(
      tuning.f32 ? candidatesFor(false) : [],
    )
  })

  it('does not try for ever', () => {
    let tries = 0
    const inVain = () => {
      tries++
      return undefined
    }
    for (let call = 0; call < 5; call++) expect(measuredTiles('f64 relaxed', inVain)).toBeUndefined()
    // Measuring may have come to nothing before.
    expect(tries).toBeLessThanOrEqual(2)
    expect(measuredTiles('f64 relaxed', () => tiles(1))).toBeUndefined()
  })
})

describe('isTuning', () => {
  it('takes plain data for what it is', () => {
    expect(isTuning({})).toBe(true)
    expect(isTuning({ f32: [{ rows: 2, vectors: 4, nanoseconds: 1.5 }] })).toBe(true)
    for (const other of [
      undefined,
      null,
      5,
      { f32: 5 },
      { f32: [5] },
      { f32: [null] },
      { f32: [{ rows: 2, vectors: 4 }] },
      { f32: [{ rows: '2', vectors: 4, nanoseconds: 1 }] },
      { f32: [{ rows: 2.5, vectors: 4, nanoseconds: 1 }] },
      { f32: [{ rows: 2, vectors: 4, nanoseconds: Infinity }] },
    ])
      expect(isTuning(other)).toBe(false)
  })
})

describe('cpu', () => {
  /** The bits of a product on a device that thinks one register block the best. */
  async function product(fast: { readonly rows: number; readonly vectors: number }): Promise<Uint8Array> {
    const costs = candidatesFor(true).map((tile) => ({ ...tile, nanoseconds: tile === fast ? 1 : 100 }))
    const tuning: Tuning = { f32: costs, 'f32 relaxed': costs }
    await using device = cpu({ tuning })
    const [m, n, k] = [200, 150, 400]
    const kernel = await device.kernel('MatMul', {
      inputs: [
        { dtype: 'float32', shape: [m, k] },
        { dtype: 'float32', shape: [k, n] },
      ],
      outputs: [{ dtype: 'float32', shape: [m, n] }],
      attrs: { transposeA: false, transposeB: false },
    })
    const buffers = [m * k, k * n, m * n].map((length) => device.alloc(length * 4))
    for (const [i, length] of [m * k, k * n].entries()) {
      const values = Float32Array.from({ length }, (_, at) => Math.sin(at))
      device.write(buffers[i]!, new Uint8Array(values.buffer))
    }
    kernel.launch([...buffers, device.alloc(kernel.workspaceBytes)])
    return await device.read(buffers[2]!)
  }

  it('answers the same bits whatever the tuning says', async () => {
    const answers = await Promise.all(candidatesFor(true).map(product))
    expect(answers[0]!.some((byte) => byte > 0)).toBe(true)
    for (const other of answers.slice(1)) expect(other).toEqual(answers[0])
  })

  it('refuses a tuning that is none', () => {
    expect(() => cpu({ tuning: { f32: [{ rows: 1, vectors: 1, nanoseconds: -1 }] } })).toThrow(
      'measureTuning',
    )
  })
})
