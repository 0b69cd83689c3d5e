// A metric over the steps of a job, in bounded memory however long the job ran: neighbouring measurements share a point.

/** Some measurements that follow each other. */
export interface SeriesPoint {
  /** The step of the last of them. */
  readonly step: number
  readonly mean: number
  readonly min: number
  readonly max: number
  /** How many they are. */
  readonly count: number
}

/** What one task, or one trial, measured. */
export interface MetricSeries {
  /** 'loss'. */
  readonly metric: string
  /** The task that measured it; undefined for a trial's. */
  readonly task: string | undefined
  /** Undefined for what belongs to no trial. */
  readonly trial: number | undefined
  /** In the order of steps. */
  readonly points: readonly SeriesPoint[]
  readonly last: number
}

/** A series that grows. Where another run of the work begins again at an earlier step, what the one before measured from there on is forgotten: it was lost. */
export class GrowingSeries {
  readonly #mostPoints: number
  readonly #points: SeriesPoint[] = []
  /** How many measurements share a point: doubles whenever there are too many points. */
  #together = 1
  #run = ''
  #last = Number.NaN

  /** @param mostPoints an even number. */
  constructor(mostPoints: number) {
    this.#mostPoints = mostPoints
  }

  /** In the order of steps; at most as many as was said. */
  get points(): readonly SeriesPoint[] {
    return this.#points
  }

  /** The newest value. */
  get last(): number {
    return this.#last
  }

  /** Takes a measurement. @param run names who did the work, and which time. */
  add(run: string, step: number, value: number): void {
    const points = this.#points
    if (run !== this.#run) {
      this.#run = run
      while (points.length > 0 && points.at(-1)!.step >= step) points.pop()
    }
    this.#last = value
    const one = { step, mean: value, min: value, max: value, count: 1 }
    const newest = points.at(-1)
    if (newest && newest.count < this.#together) {
      points[points.length - 1] = joined(newest, one)
      return
    }
    points.push(one)
    if (points.length > this.#mostPoints) this.#halve()
  }

  #halve(): void {
    const points = this.#points
    this.#together *= 2
    let kept = 0
    for (let i = 0; i < points.length; i += 2) {
      const next = points[i + 1]
      points[kept++] = next ? joined(points[i]!, next) : points[i]!
    }
    points.length = kept
  }
}

function joined(a: SeriesPoint, b: SeriesPoint): SeriesPoint {
  const count = a.count + b.count
  return {
    step: b.step,
    mean: a.mean + ((b.mean - a.mean) * b.count) / count,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    count,
  }
}
