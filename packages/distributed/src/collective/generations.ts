// The groups that one member is in, one generation after the other: messages find theirs here, and those of older ones are refused.
import type { Link } from '../placement/machine.ts'
import { ExchangeError } from './exchangeError.ts'
import type { GenerationSpec } from './group.ts'
import { Group, localNetwork } from './group.ts'
import type { Mesh } from './mesh.ts'
import { Progress } from './progress.ts'

/** How members exchange. */
export interface GenerationOptions {
  /** What the way from one member to another is like; the same at all members. Default: a local network of 1 Gb/s. */
  readonly link?: Link
}

/** The generations of a group, as one member lives through them. */
export class Generations {
  readonly mesh: Mesh
  readonly progress = new Progress()
  readonly #link: Link
  #present: Group | undefined
  #next = Promise.withResolvers<void>()

  /** From now on the mesh serves this alone. */
  constructor(mesh: Mesh, { link = localNetwork }: GenerationOptions = {}) {
    this.mesh = mesh
    this.#link = link
    for (const method of ['take', 'confirm', 'broken'] as const)
      mesh.serve(method, async (from, head, signal) =>
        (await this.#at(head.whole('generation'), signal)).served(method, from, head, signal),
      )
  }

  /** The generation that was entered last. */
  get present(): Group | undefined {
    return this.#present
  }

  /**
   * Enters a generation; the one before it ends.
   * @throws ExchangeError for one that is not newer, ValueError for one without this member.
   */
  enter(spec: GenerationSpec): Group {
    if (this.#present && spec.number <= this.#present.generation)
      throw new ExchangeError(
        `generation ${spec.number} is over: the present one is ${this.#present.generation}`,
      )
    this.#present?.fail(new ExchangeError(`generation ${spec.number} has begun`), false)
    this.#present = new Group(this.mesh, spec, this.progress, this.#link)
    this.#next.resolve()
    this.#next = Promise.withResolvers()
    return this.#present
  }

  /** The group of a generation, when this member has entered it. @throws ExchangeError when it has entered a newer one. */
  async #at(number: number, signal: AbortSignal): Promise<Group> {
    while (!this.#present || this.#present.generation < number) {
      const aborted = Promise.withResolvers<void>()
      const giveUp = (): void => aborted.reject(signal.reason as Error)
      signal.addEventListener('abort', giveUp, { once: true })
      if (signal.aborted) giveUp()
      try {
        await Promise.race([this.#next.promise, aborted.promise])
      } finally {
        signal.removeEventListener('abort', giveUp)
      }
    }
    if (this.#present.generation > number)
      throw new ExchangeError(`generation ${number} is over: the present one is ${this.#present.generation}`)
    return this.#present
  }
}
