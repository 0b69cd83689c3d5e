// The curve of learning as it grows: loss on the left axis, the part of the test digits told right on the right one.
import uPlot from 'uplot'
import type { StepReport, TestReport } from './messages.ts'
import { percent } from './percent.ts'

const height = 260

/** A chart in an element, as wide as that is. */
export class Curve {
  readonly #element: HTMLElement
  readonly #plot: uPlot
  readonly #steps: number[] = []
  readonly #losses: number[] = []
  /** Null at steps without a test. */
  readonly #accuracies: (number | null)[] = []
  #waiting = false

  constructor(element: HTMLElement) {
    this.#element = element
    this.#plot = new uPlot(options(element), this.#data, element)
    new ResizeObserver(() => this.#plot.setSize({ width: element.clientWidth, height })).observe(element)
    // Colours are asked for when something is drawn.
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#plot.redraw(false))
  }

  /** Is there nothing to draw? */
  get isEmpty(): boolean {
    return this.#steps.length === 0
  }

  /** One step further. */
  addStep({ step, loss }: StepReport): void {
    this.#steps.push(step)
    this.#losses.push(loss)
    this.#accuracies.push(null)
    this.#drawSoon()
  }

  /** A test after the present step. */
  addTest({ step, accuracy }: TestReport): void {
    this.#accuracies[this.#steps.lastIndexOf(step)] = accuracy
    this.#drawSoon()
  }

  /** Empty again. */
  clear(): void {
    this.#steps.length = this.#losses.length = this.#accuracies.length = 0
    this.#drawSoon()
  }

  get #data(): uPlot.AlignedData {
    return [this.#steps, this.#losses, this.#accuracies]
  }

  /** Steps may be many times faster than frames. */
  #drawSoon(): void {
    if (this.#waiting) return
    this.#waiting = true
    requestAnimationFrame(() => {
      this.#waiting = false
      this.#plot.setData(this.#data)
      const [loss, accuracy] = [this.#losses.at(-1), this.#accuracies.findLast((value) => value !== null)]
      const told =
        loss === undefined
          ? 'nothing yet'
          : `the loss is ${loss.toFixed(3)} after ${this.#steps.length} steps` +
            (accuracy === undefined || accuracy === null
              ? ''
              : `, ${percent(accuracy)} of the test digits are told right`)
      this.#element.setAttribute('aria-label', `Curve of learning: ${told}`)
    })
  }
}

function options(element: HTMLElement): uPlot.Options {
  const colour = (name: string) => () => getComputedStyle(element).getPropertyValue(name)
  const axis = { stroke: colour('--quiet'), grid: { stroke: colour('--line') }, ticks: { show: false } }
  return {
    width: element.clientWidth,
    height,
    legend: { show: false },
    cursor: { show: false },
    padding: [12, 8, 0, 0],
    scales: {
      x: { time: false, range: (_, _least, most) => [0, Math.max(most ?? 0, 20)] },
      loss: { range: (_, _least, most) => [0, Math.max(most ?? 0, 2.5)] },
      accuracy: { range: [0, 1] },
    },
    series: [
      {},
      { label: 'loss', scale: 'loss', stroke: colour('--loss'), width: 2, points: { show: false } },
      {
        label: 'accuracy',
        scale: 'accuracy',
        stroke: colour('--accuracy'),
        width: 2,
        spanGaps: true,
        points: { show: true, size: 6, fill: colour('--accuracy') },
      },
    ],
    axes: [
      {
        ...axis,
        size: 32,
        values: (_, steps) => steps.map((step) => (Number.isInteger(step) ? `${step}` : '')),
      },
      { ...axis, scale: 'loss', size: 44 },
      {
        ...axis,
        scale: 'accuracy',
        side: 1,
        size: 52,
        grid: { show: false },
        values: (_, parts) => parts.map((part) => percent(part)),
      },
    ],
  }
}
