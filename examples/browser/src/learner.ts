// A network that learns and can be asked meanwhile: the part of the example that knows neither pages nor workers.
import { type Device, fromBytes, type Node, Session } from '@shoal/core'
import type { ByteFile } from '@shoal/data'
import { type LeNet, lenet } from '@shoal/example-lenet/model'
import { type DigitSets, divideDigits } from '@shoal/example-parts/digitSets'
import { adam, evaluate, type Hook, train } from '@shoal/train'
import type { Sample, StepReport, TestReport } from './messages.ts'
import type { Settings } from './settings.ts'

/** Whom a learner tells how it goes. */
export interface Listener {
  step(report: StepReport): void
  tested(report: TestReport): void
}

/** A network with its digits on a session of its own, from the first weights to the last. Dispose it when done. */
export class Learner implements AsyncDisposable {
  readonly #settings: Settings
  readonly #session: Session
  readonly #network: LeNet
  readonly #step: Node
  readonly #digits: DigitSets
  #steps = 0
  #tested = -1
  #samples = 0
  #pausing = new AbortController()

  private constructor(settings: Settings, session: Session, digits: DigitSets) {
    this.#settings = settings
    this.#session = session
    this.#digits = digits
    this.#network = lenet()
    this.#step = adam({ learningRate: settings.rate }).minimize(this.#network.training.loss)
  }

  /**
   * Reads the digits and draws the first weights.
   * @param devices in order of preference; they are disposed with the learner, also where this throws.
   * @param open where the files of digits are.
   * @throws DataError for files that are missing or damaged, and what the devices throw.
   */
  static async open(
    settings: Settings,
    devices: readonly Device[],
    open: (name: string) => ByteFile,
  ): Promise<Learner> {
    const { seed, batch, train, test } = settings
    const session = new Session({ devices, seed })
    try {
      const digits = await divideDigits(open, { seed, batchSize: batch, train, test })
      const learner = new Learner(settings, session, digits)
      await session.initialize(learner.#network.training.loss, learner.#step)
      return learner
    } catch (error) {
      await session.close()
      throw error
    }
  }

  /** Steps of a whole training. */
  get allSteps(): number {
    return this.#settings.epochs * Math.ceil(this.#settings.train / this.#settings.batch)
  }

  /**
   * Trains from where it stands: true at the end, false when it was paused. However often it is paused, it comes to the same weights.
   * @throws what the devices throw, such as the loss of a GPU.
   */
  async train(listener: Listener): Promise<boolean> {
    this.#pausing = new AbortController()
    const { training } = this.#network
    await train({
      session: this.#session,
      step: this.#step,
      data: this.#digits.train,
      epochs: this.#settings.epochs,
      startStep: this.#steps,
      fetches: { loss: training.loss },
      feed: (batch) => ({ ...batch }),
      hooks: [this.#reporting(listener)],
    })
    const finished = this.#steps === this.allSteps
    if (finished) await this.#test(listener)
    return finished
  }

  /** Ends training after the present step, or in the middle of a test. */
  pause(): void {
    this.#pausing.abort('paused')
  }

  /** How likely each digit is in a picture of 28 × 28 grey values. */
  async classify(pixels: Uint8Array): Promise<readonly number[]> {
    const images = fromBytes('uint8', [1, 28, 28], pixels)
    const probabilities = await this.#session.run(this.#network.probabilities, { images })
    return Array.from(probabilities.data as Float32Array)
  }

  /** The next of the digits held back. */
  async sample(): Promise<Sample> {
    const { test } = this.#settings
    const from = this.#samples++ % test
    for await (const { images, labels } of this.#digits.test.unbatch().iterate({ from, epoch: 0 }))
      return { pixels: Uint8Array.from(images.bytes), label: Number(labels.item()) }
    throw new RangeError('there are no digits to be tested on')
  }

  /** Ends what runs and gives the devices back. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.close()
  }

  #reporting(listener: Listener): Hook {
    let began = 0
    return {
      beforeRun: () => {
        began = performance.now()
      },
      afterRun: async (run, { loss }) => {
        this.#steps = run.step
        const seconds = (performance.now() - began) / 1000
        listener.step({ step: run.step, loss: Number(loss!.item()), seconds })
        if (run.step % this.#settings.testEvery === 0) await this.#test(listener)
        if (this.#pausing.signal.aborted) run.stop('paused')
      },
    }
  }

  async #test(listener: Listener): Promise<void> {
    const { signal } = this.#pausing
    if (this.#tested === this.#steps || signal.aborted) return
    try {
      const { accuracy } = await evaluate({
        session: this.#session,
        data: this.#digits.test,
        fetches: { accuracy: this.#network.testing.accuracy },
        feed: (batch) => ({ ...batch }),
        weight: ({ labels }) => labels.shape[0]!,
        signal,
      })
      this.#tested = this.#steps
      listener.tested({ step: this.#steps, accuracy: accuracy! })
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}
