import { describe, expect, it } from 'vitest'
import { Random } from '../random.ts'
import { categorical, float } from '../space/domain.ts'
import { logImprovement, logProbability } from './improvement.ts'
import type { Point } from './kernel.ts'
import { matern, maternSlope } from './kernel.ts'
import { GaussianProcess, learn } from './regression.ts'

const domains = [float(0, 1), float(0, 1)]
const random = new Random(1, 0)
const points: Point[] = Array.from({ length: 15 }, () => [random.uniform(), random.uniform()])
const wave = ([x, y]: Point): number => Math.sin(6 * x!) + 0.1 * y!
const exact = { lengths: Float64Array.of(0.4, 0.8), signal: 1.3, noise: 1e-8 }

describe('the kernel', () => {
  it('has the slope that it says', () => {
    for (const squared of [1e-4, 0.1, 1, 4])
      expect((matern(squared + 1e-6) - matern(squared - 1e-6)) / 2e-6 / maternSlope(squared)).toBeCloseTo(
        1,
        4,
      )
    expect(matern(0)).toBe(1)
  })
})

describe('a Gaussian process', () => {
  const process = new GaussianProcess(domains, points, points.map(wave), exact)

  it('goes through what was seen, and is unsure elsewhere', () => {
    for (const point of points) {
      const { mean, variance } = process.at(point)
      expect(mean).toBeCloseTo(wave(point), 5)
      expect(variance).toBeLessThan(1e-6)
    }
    expect(process.at([0.5, 40]).mean).toBeCloseTo(0, 6)
    expect(process.at([0.5, 40]).variance).toBeCloseTo(1.3, 6)
  })

  it('has the slopes that it says', () => {
    const h = 1e-5
    const here: Point = [0.37, 0.61]
    const { mean, variance, meanSlope, varianceSlope } = process.slopeAt(here)
    expect([mean, variance]).toEqual([process.at(here).mean, process.at(here).variance])
    const shifts: readonly Point[] = [
      [h, 0],
      [0, h],
    ]
    shifts.forEach(([dx, dy], axis) => {
      const [up, down] = [process.at([0.37 + dx!, 0.61 + dy!]), process.at([0.37 - dx!, 0.61 - dy!])]
      expect(meanSlope[axis]).toBeCloseTo((up.mean - down.mean) / (2 * h), 5)
      expect(varianceSlope[axis]).toBeCloseTo((up.variance - down.variance) / (2 * h), 5)
    })
  })

  it('bears points that lie on each other', () => {
    const twice = new GaussianProcess(domains, [points[0]!, points[0]!], [1, 1], { ...exact, noise: 0 })
    expect(twice.at(points[0]!).mean).toBeCloseTo(1, 4)
  })

  it('keeps categories and what is missing apart', () => {
    const mixed = [categorical(['a', 'b']), float(0, 1)]
    const seen: Point[] = [
      [0.25, undefined],
      [0.75, 0.5],
    ]
    const settings = { lengths: Float64Array.of(0.5, 0.5), signal: 1, noise: 1e-8 }
    const own = new GaussianProcess(mixed, seen, [1, -1], settings)
    expect(own.at([0.25, undefined]).mean).toBeCloseTo(1, 5)
    expect(own.at([0.75, 0.5]).mean).toBeCloseTo(-1, 5)
    expect([...own.slopeAt([0.25, undefined]).meanSlope]).toEqual([0, 0])
  })
})

describe('learning', () => {
  it('finds which parameter matters, and that there is no noise', () => {
    const { lengths, noise } = learn(domains, points, points.map(wave))
    expect(lengths[0]!).toBeLessThan(0.5 * lengths[1]!)
    expect(noise).toBeLessThan(1e-3)
  })

  it('finds the noise where there is some', () => {
    const line: Point[] = Array.from({ length: 30 }, (_, i) => [i / 29])
    const noisy = line.map(([x]) => 2 * x! - 1 + 0.4 * random.normal())
    expect(learn([float(0, 1)], line, noisy).noise).toBeGreaterThan(0.02)
  })
})

describe('improvement', () => {
  it.each([logImprovement, logProbability])('is smooth and has the slope that it says: %o', (gain) => {
    for (const z of [3, 0.5, -1, -3.5, -3.54, -8, -40, -1000]) {
      const h = 1e-5 * Math.max(1, Math.abs(z))
      const { value, slope } = gain(z)
      expect(Number.isFinite(value)).toBe(true)
      expect((gain(z + h).value - gain(z - h).value) / (2 * h) / slope).toBeCloseTo(1, 4)
    }
  })

  it('agrees with its definition', () => {
    expect(Math.exp(logImprovement(0).value)).toBeCloseTo(1 / Math.sqrt(2 * Math.PI), 12)
    expect(Math.exp(logProbability(0).value)).toBeCloseTo(0.5, 12)
    // Far above what was best all of it is gained.
    expect(Math.exp(logImprovement(20).value)).toBeCloseTo(20, 9)
  })
})
