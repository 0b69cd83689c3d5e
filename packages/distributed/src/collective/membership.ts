// Who is in a group, agreed among those who are there: the first of them proposes a generation, the others promise, and then all enter it.
import { ValueError } from '@shoal/core'
import { asError, CancelledError, DeadlineError, ProtocolError } from '../errors.ts'
import type { Message } from '../transport/contract.ts'
import type { Agreement, Standing } from './agreement.ts'
import { agree, decodeRoster, decodeStanding, encodeRoster, encodeStanding, isQuorum } from './agreement.ts'
import { ExchangeError } from './exchangeError.ts'
import type { GenerationOptions } from './generations.ts'
import { Generations } from './generations.ts'
import type { Group } from './group.ts'
import { encodeHead, Head } from './heads.ts'
import type { Mesh } from './mesh.ts'
import { acknowledged } from './mesh.ts'
import { noticeOrTimer, Notice } from './notice.ts'

/** How a group holds together. */
export interface MembershipOptions extends GenerationOptions {
  /**
   * With fewer members nothing goes on, with so many something does, even in two parts of a divided network. Default: more than half of the last
   * generation go on, or half with its first member, so that one part does at most.
   */
  readonly minMembers?: number | undefined
  /** Milliseconds that a member has to answer a proposal, before the others go on without it. Default 2000. */
  readonly answerMs?: number
  /** Milliseconds until what did not come about is tried again. Default 100. */
  readonly retryMs?: number
  /** Told in one line of each generation that this member enters. Default: nobody is. */
  readonly log?: (line: string) => void
}

/** How long to wait for a generation. */
export interface WaitOptions {
  /** Milliseconds until it fails with a DeadlineError. */
  readonly deadlineMs: number
  readonly signal?: AbortSignal | undefined
}

/** How a step is done. */
export interface StepOptions extends WaitOptions {
  /**
   * Gives newcomers the state that they lack, in one exchange that all members make: `group.broadcast` from rank 0. Default: there is no state.
   */
  readonly welcome?: (group: Group) => Promise<unknown>
}

/** So often is one step repeated before it is given up: what fails every time is no matter of who is there. */
const mostRepeats = 16

/** One member's part in who is in the group. */
export class Membership {
  readonly #mesh: Mesh
  readonly #generations: Generations
  readonly #options: Required<Omit<MembershipOptions, 'link'>>
  readonly #changed = new Notice()
  readonly #joining = new Set<string>()
  /** Who forms the first generation; none for a member that joins. */
  #founders: readonly string[] = []
  /** This member takes part in no generation before this one, and in this one with whom it promised it. */
  #promised = { number: 0, to: '' }
  /** From where on it is in the present generation, and who was in the ones before that may still go on. */
  #entered: Pick<Agreement, 'next' | 'rosters'> = { next: 0, rosters: [] }
  #proposing: Promise<void> | undefined
  #lacksState = false
  #welcomed = 0
  #phase: 'welcome' | 'step' = 'step'

  /** From now on the mesh serves this alone. */
  constructor(mesh: Mesh, options: MembershipOptions = {}) {
    const { minMembers, answerMs = 2000, retryMs = 100, log = () => {}, ...rest } = options
    this.#mesh = mesh
    this.#options = { minMembers, answerMs, retryMs, log }
    this.#generations = new Generations(mesh, rest)
    mesh.onLost(() => this.#changed.give())
    mesh.serve('gather', (from, head, signal) => {
      // Who waits for a generation has found out what others may not have: they may have no work left.
      for (const id of head.texts('silent')) if (id !== mesh.id) this.#silent.add(id)
      return this.#gather(from, head.whole('after'), signal)
    })
    mesh.serve('prepare', (from, head) =>
      this.#prepare(from, head.whole('generation'), head.texts('members')),
    )
    mesh.serve('install', (from, head) => this.#install(from, head))
  }

  /** The generation that was entered last; it may be over. */
  get group(): Group | undefined {
    return this.#generations.present
  }

  /**
   * Forms the first generation, with all of them. Each calls it with the same list.
   * @throws DeadlineError saying who is missing, CancelledError, ValueError for a list without this member.
   */
  form(members: readonly string[], options: WaitOptions): Promise<Group> {
    if (!members.includes(this.#mesh.id))
      throw new ValueError(`'${this.#mesh.id}' forms no group without itself`)
    this.#founders = members
    return this.#await(options)
  }

  /**
   * Joins a group that is there, with the step that follows its present one, and answers the generation. This member is one of its newcomers.
   * @throws DeadlineError, CancelledError.
   */
  join(options: WaitOptions): Promise<Group> {
    this.#founders = []
    this.#lacksState = true
    return this.#await(options)
  }

  /**
   * The present generation, or where that is over the next one, with all that are reached. A member that the others have gone on without joins them.
   * @throws DeadlineError saying what did not come about, CancelledError.
   */
  reform(options: WaitOptions): Promise<Group> {
    return this.#await(options)
  }

  /**
   * Does one step: the exchange in it takes place for all members or for none, and where a generation ends, because members die or join, the step is done
   * again with the next one.
   * @param body makes one exchange, with as many parts as there are to it. It may be called again from its beginning.
   * @throws what `body` throws, unless it is an ExchangeError; that too when the step fails again and again. DeadlineError, CancelledError.
   */
  async step<T>(body: (group: Group) => Promise<T>, { welcome, ...wait }: StepOptions): Promise<T> {
    for (let repeats = 0; ; repeats++) {
      const group = await this.#await(wait)
      const { retained } = this.#generations.progress
      const greets = group.newcomers.length > 0 && this.#welcomed !== group.generation
      // What was interrupted and yet decided is finished first.
      if (!retained) this.#phase = greets ? 'welcome' : 'step'
      try {
        if (this.#phase === 'step') return await body(group)
        await welcome?.(group)
        this.#lacksState = false
        if (!retained) this.#welcomed = group.generation
      } catch (thrown) {
        if (!isInterruption(thrown) || repeats >= mostRepeats) throw thrown
      }
    }
  }

  async #await({ deadlineMs, signal }: WaitOptions): Promise<Group> {
    const { id, clock } = this.#mesh
    const end = clock.now() + deadlineMs
    let why: Error | undefined
    for (let attempt = 0; ; attempt++) {
      const group = this.#usable
      if (group) return group
      if (signal?.aborted)
        throw new CancelledError(`'${id}' no longer waits for a generation`, { cause: signal.reason })
      const leftMs = end - clock.now()
      if (leftMs <= 0)
        throw new DeadlineError(
          `'${id}' is in no generation after ${deadlineMs} ms: ${why?.message ?? 'nobody proposed one'}`,
          { cause: why },
        )
      const notice = this.#changed.next()
      const leader = this.#leaderFor(attempt)
      try {
        if (leader === id) await this.#propose()
        else if (leader === undefined) why = new ExchangeError('no other member is reached')
        else {
          const after = this.group?.generation ?? 0
          // Who was in the generation is answered soon, who joins is at the end of a step.
          const soonMs = this.#leader === undefined ? leftMs : Math.min(leftMs, 4 * this.#options.answerMs)
          const asked = this.#mesh.call(
            leader,
            'gather',
            { after, silent: [...this.#silent] },
            { deadlineMs: soonMs, signal },
          )
          await Promise.race([asked, notice])
          asked.catch(() => undefined)
        }
      } catch (thrown) {
        why = asError(thrown)
        if (why instanceof DeadlineError && leader !== undefined) this.#silent.add(leader)
      }
      // A member that looks for the one who leads asks all before it rests.
      const asksOn = this.#leader === undefined && (attempt + 1) % (this.#mesh.reached.length || 1) > 0
      if (!this.#usable && !asksOn)
        await noticeOrTimer(this.#changed, Math.min(this.#options.retryMs, leftMs), clock, signal)
    }
  }

  /** The generation in which exchanges may be made. */
  get #usable(): Group | undefined {
    const { group } = this
    return group && !group.ended && group.generation === this.#promised.number ? group : undefined
  }

  /** Those who were together last. */
  get #roster(): readonly string[] {
    return this.group?.members ?? this.#founders
  }

  /** Who proposes: the first of the roster that is reached. A member without one asks all in turn. */
  #leaderFor(attempt: number): string | undefined {
    const reached = this.#mesh.reached.toSorted()
    return this.#leader ?? reached[attempt % reached.length]
  }
  get #leader(): string | undefined {
    return this.#outdated
      ? undefined
      : this.#roster.find((id) => this.#mesh.reaches(id) && !this.#silent.has(id))
  }
  /** Those who did not answer when they should have led; the others do without them until there is a new generation. */
  readonly #silent = new Set<string>()
  /** Have the others gone on without this member? */
  #outdated = false

  /** Another asks for a newer generation than it was in. Settles when it is in one. */
  async #gather(from: string, after: number, signal: AbortSignal): Promise<Message> {
    while (!signal.aborted) {
      const group = this.#usable
      if (group && group.generation > after && group.members.includes(from)) return acknowledged
      if (this.#leader !== this.#mesh.id)
        throw new ExchangeError(`'${this.#mesh.id}' leads no group: ask another`)
      const notice = this.#changed.next()
      if (!this.#roster.includes(from)) this.#joining.add(from)
      if (group && this.#joining.has(from)) {
        // At the end of a step; the next one begins with a proposal of whoever comes first to it.
        group.endNext()
        await Promise.race([notice, aborted(signal)])
        continue
      }
      group?.fail(new ExchangeError(`'${from}' asks for a new generation`))
      await this.#propose()
      if (!this.#usable) await noticeOrTimer(this.#changed, this.#options.retryMs, this.#mesh.clock, signal)
    }
    throw signal.reason
  }

  #propose(): Promise<void> {
    this.#proposing ??= this.#lead().finally(() => {
      this.#proposing = undefined
    })
    return this.#proposing
  }

  /** Proposes a generation once: to all that are reached. @throws ExchangeError where it does not come about. */
  async #lead(): Promise<void> {
    if (this.#usable) return
    const { id } = this.#mesh
    const { answerMs: deadlineMs } = this.#options
    const number = this.#promised.number + 1
    this.#promise(number, id)
    const asked = [...new Set([...this.#roster, ...this.#joining])].filter((other) =>
      this.#mesh.reaches(other),
    )
    const fields = { generation: number, members: asked }
    const answers = await Promise.all(
      asked.map(async (other): Promise<Standing | Refusal | undefined> => {
        if (other === id) return undefined
        const answer = await this.#mesh
          .call(other, 'prepare', fields, { deadlineMs, urgent: true })
          .catch(() => undefined)
        return answer && readAnswer(answer, other)
      }),
    )
    if (this.#promised.number !== number)
      throw new ExchangeError(`generation ${number} is not wanted any more`)
    const refusals = answers.filter((answer) => answer !== undefined && 'promised' in answer)
    for (const { promised, generation } of refusals) {
      this.#promise(Math.min(Math.max(promised, this.#promised.number), number + farthest), '')
      this.#outdated ||= generation > (this.group?.generation ?? 0)
    }
    if (refusals.length > 0)
      throw new ExchangeError(`generation ${number} was refused: others have promised a newer one`)
    const standings = answers.filter(
      (answer): answer is Standing => answer !== undefined && !('promised' in answer),
    )
    const agreement = agree([this.#standing(asked), ...standings], id)
    this.#demandEnough(agreement)
    this.#enter(number, agreement)
    const { members, newcomers, next, rosters } = agreement
    const installed = { generation: number, members, newcomers, next, rosters: rosters.map(encodeRoster) }
    await Promise.all(
      members.map(async (other) => {
        if (other !== id) await this.#mesh.call(other, 'install', installed, { deadlineMs, urgent: true })
      }),
    ).catch((thrown: unknown) => {
      this.group?.fail(asError(thrown))
      throw thrown
    })
  }

  /** @throws ExchangeError where too few are there to go on. */
  #demandEnough(agreement: Agreement): void {
    const { members, rosters } = agreement
    const { minMembers } = this.#options
    const missing = (this.group ? rosters.flat() : this.#founders).filter((id) => !members.includes(id))
    const enough = !this.group
      ? missing.length === 0
      : minMembers === undefined
        ? isQuorum(agreement)
        : members.length >= minMembers
    if (enough) return
    const wanted = this.group
      ? minMembers === undefined
        ? 'more than half'
        : `at least ${minMembers}`
      : 'all'
    throw new ExchangeError(
      `${members.join(', ')} are there, ${[...new Set(missing)].join(', ')} are not; ${wanted} are wanted`,
    )
  }

  #prepare(from: string, number: number, asked: readonly string[]): Message {
    const group = this.#usable
    // Who is not in a generation cannot end it.
    const outsider = group !== undefined && !group.members.includes(from)
    if (number > this.#promised.number + farthest)
      throw new ProtocolError(
        `'${from}' proposes generation ${number}, and '${this.#mesh.id}' has promised ${this.#promised.number}`,
      )
    if (number <= this.#promised.number || outsider) {
      const refusal = { promised: this.#promised.number, generation: this.group?.generation ?? 0 }
      return { head: encodeHead({ refused: true, ...refusal }), tensors: [] }
    }
    this.#promise(number, from)
    return { head: encodeStanding(this.#standing(asked)), tensors: [] }
  }

  #install(from: string, head: Head): Message {
    const number = head.whole('generation')
    if (this.#promised.number !== number || this.#promised.to !== from)
      throw new ExchangeError(
        `'${this.#mesh.id}' has promised generation ${this.#promised.number}, not ${number}`,
      )
    this.#enter(number, {
      members: head.texts('members'),
      newcomers: head.texts('newcomers'),
      next: head.whole('next'),
      rosters: head.texts('rosters').map(decodeRoster),
    })
    return acknowledged
  }

  #promise(number: number, to: string): void {
    this.#promised = { number, to }
    this.group?.fail(new ExchangeError('a new one is proposed'), false)
  }

  #standing(asked: readonly string[]): Standing {
    const { progress } = this.#generations
    return {
      id: this.#mesh.id,
      generation: this.group?.generation ?? 0,
      members: this.#roster,
      earlier: progress.next > this.#entered.next ? [] : this.#entered.rosters,
      next: progress.next,
      doubts: progress.doubts,
      lacksState: this.#lacksState,
      unreached: asked.filter((other) => !this.#mesh.reaches(other)),
    }
  }

  #enter(number: number, agreement: Agreement): void {
    const { members, newcomers, next } = agreement
    const isNew = newcomers.includes(this.#mesh.id)
    this.#entered = agreement
    this.#lacksState = isNew
    this.#outdated = false
    this.#generations.progress.settle(next, isNew)
    this.#generations.enter({ number, members, newcomers })
    for (const id of members) this.#joining.delete(id)
    this.#silent.clear()
    const who =
      newcomers.length > 0 ? `${members.join(', ')}; new: ${newcomers.join(', ')}` : members.join(', ')
    this.#options.log(`'${this.#mesh.id}' is in generation ${number} from exchange ${next} on: ${who}`)
    this.#changed.give()
  }
}

/** By how much a proposal may be ahead of the last one that was heard: who could go to the last number of all would end all groups for ever. */
const farthest = 2 ** 20

/** A member that has promised a newer generation, or is in one that the proposer is not in. */
interface Refusal {
  readonly promised: number
  readonly generation: number
}

function readAnswer({ head: bytes }: Message, id: string): Standing | Refusal {
  const head = new Head(bytes)
  return head.has('refused')
    ? { promised: head.whole('promised'), generation: head.whole('generation') }
    : decodeStanding(bytes, id)
}

/** Is an error, or what it was caused by, that of an exchange that did not take place? */
function isInterruption(thrown: unknown): boolean {
  for (let error = thrown; error instanceof Error; error = error.cause)
    if (error instanceof ExchangeError) return true
  return false
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
