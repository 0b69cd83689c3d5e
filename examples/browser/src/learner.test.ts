import { DataError } from '@shoal/data'
import { dataset } from '@shoal/example-parts'
import { cpu } from '@shoal/kernels-cpu'
import { describe, expect, it } from 'vitest'
import { Learner, type Listener } from './learner.ts'
import type { StepReport, TestReport } from './messages.ts'
import { readSettings } from './settings.ts'

const settings = readSettings('?batch=32&train=1600&test=200&epochs=1&testEvery=25&rate=0.002')

/** What a learner tells. `then` is called after each step. */
function listening(then: (step: number) => void = () => {}) {
  const steps: StepReport[] = []
  const tests: TestReport[] = []
  const listener: Listener = {
    step: (report) => {
      steps.push(report)
      then(report.step)
    },
    tested: (report) => tests.push(report),
  }
  return { steps, tests, listener }
}

describe('Learner', () => {
  it('comes to the same, paused or not, and then reads digits', async () => {
    await using straight = await Learner.open(settings, [cpu()], dataset)
    await using paused = await Learner.open(settings, [cpu()], dataset)
    const whole = listening()
    expect(await straight.train(whole.listener)).toBe(true)

    const parts = listening((step) => [7, 31].includes(step) && paused.pause())
    expect(await paused.train(parts.listener)).toBe(false)
    expect(parts.steps).toHaveLength(7)
    expect(await paused.train(parts.listener)).toBe(false)
    expect(await paused.train(parts.listener)).toBe(true)

    const losses = ({ steps }: typeof whole) => steps.map(({ step, loss }) => [step, loss])
    expect(losses(parts)).toEqual(losses(whole))
    expect(whole.steps).toHaveLength(straight.allSteps)
    expect(whole.tests.map(({ step }) => step)).toEqual([25, 50])
    expect(parts.tests).toEqual(whole.tests)
    expect(whole.tests.at(-1)!.accuracy).toBeGreaterThan(0.8)

    // Each digit held back comes once, and the parts told right are those of the test.
    let right = 0
    for (let i = 0; i < settings.test; i++) {
      const { pixels, label } = await straight.sample()
      const probabilities = await straight.classify(pixels)
      expect(probabilities.reduce((a, b) => a + b)).toBeCloseTo(1, 5)
      if (probabilities.indexOf(Math.max(...probabilities)) === label) right++
    }
    expect(right / settings.test).toBeCloseTo(whole.tests.at(-1)!.accuracy, 5)
  })

  it('answers while it trains, and is not changed by that', async () => {
    const few = { ...settings, train: 96 }
    const run = async (ask: boolean) => {
      await using learner = await Learner.open(few, [cpu()], dataset)
      const { pixels } = await learner.sample()
      const answers: Promise<readonly number[]>[] = []
      const { steps, listener } = listening(() => ask && answers.push(learner.classify(pixels)))
      await learner.train(listener)
      return { losses: steps.map(({ loss }) => loss), answers: await Promise.all(answers) }
    }
    const asked = await run(true)
    expect(asked.answers).toHaveLength(3)
    expect(asked.losses).toEqual((await run(false)).losses)
  })

  it('says which file it cannot read, and gives the devices back', async () => {
    const device = cpu()
    const missing = (name: string) => dataset(`no-${name}`)
    await expect(Learner.open(settings, [device], missing)).rejects.toThrow(DataError)
    expect(() => device.alloc(4)).toThrow('disposed')
  })
})
