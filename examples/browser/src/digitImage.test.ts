import { describe, expect, it } from 'vitest'
import { digitImage, imageSize, type Stroke } from './digitImage.ts'

const grey = (pixels: Uint8Array, x: number, y: number) => pixels[y * imageSize + x]!

/** The first and last row and column that are not black, and the centre of mass. */
function measure(pixels: Uint8Array) {
  const places = Array.from(pixels, (value, i) => ({ value, x: i % imageSize, y: Math.floor(i / imageSize) }))
  const lit = places.filter(({ value }) => value > 0)
  const mass = lit.reduce((sum, { value }) => sum + value, 0)
  const mean = (of: 'x' | 'y') => lit.reduce((sum, place) => sum + place.value * (place[of] + 0.5), 0) / mass
  return {
    width: Math.max(...lit.map(({ x }) => x)) - Math.min(...lit.map(({ x }) => x)) + 1,
    height: Math.max(...lit.map(({ y }) => y)) - Math.min(...lit.map(({ y }) => y)) + 1,
    centre: [mean('x'), mean('y')] as const,
  }
}

const seven: readonly Stroke[] = [
  [
    { x: 0, y: 0 },
    { x: 30, y: 0 },
    { x: 10, y: 60 },
  ],
]

describe('digitImage', () => {
  it('is black where nothing is drawn', () => {
    expect(digitImage([]).every((value) => value === 0)).toBe(true)
  })

  it('is 20 pixels high with its weight in the middle, whatever was drawn where', () => {
    for (const [scale, shift] of [
      [1, 0],
      [0.01, 5],
      [20, -300],
    ] as const) {
      const drawn = seven.map((stroke) =>
        stroke.map(({ x, y }) => ({ x: x * scale + shift, y: y * scale - shift })),
      )
      const { width, height, centre } = measure(digitImage(drawn))
      expect([20, 21]).toContain(height)
      expect(width).toBeLessThan(height)
      expect(centre[0]).toBeCloseTo(14, 0)
      expect(centre[1]).toBeCloseTo(14, 0)
    }
  })

  it('fades over one pixel beside the pen', () => {
    const bar = digitImage([
      [
        { x: 0, y: 0 },
        { x: 0, y: 10 },
      ],
    ])
    const row = Array.from({ length: imageSize }, (_, x) => grey(bar, x, 14))
    expect(row.slice(12, 16)).toEqual(row.slice(12, 16).toReversed())
    expect([row[13], row[14]]).toEqual([255, 255])
    expect(row[12]).toBeGreaterThan(0)
    expect(row[12]).toBeLessThan(255)
    expect([row[11], row[16]]).toEqual([0, 0])
  })

  it('lets a dot be a dot', () => {
    const { width, height } = measure(digitImage([[{ x: 3, y: 4 }]]))
    expect([width, height]).toEqual([4, 4])
  })

  it('does not join strokes', () => {
    const rails = [0, 10].map(
      (x): Stroke => [
        { x, y: 0 },
        { x, y: 10 },
      ],
    )
    expect(grey(digitImage(rails), 14, 14)).toBe(0)
  })
})
