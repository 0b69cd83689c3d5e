// How many steps each member of a group has done, and the line of those who are too far ahead of the slowest.
import { RunError } from '../errors.ts'

interface Waiter {
  readonly member: number
  readonly ahead: number
  go(): void
}

/** Counts steps by member. Only members that are present are waited for. Waits end when their signal is aborted. */
export class ProgressState {
  /** Steps by member. */
  readonly steps: number[]
  private present: ReadonlySet<number>
  private line: Waiter[] = []

  /** @param members all of them are present at first. */
  constructor(members: number) {
    this.steps = new Array<number>(members).fill(0)
    this.present = new Set(this.steps.keys())
  }

  /** The fewest steps that a present member has done; Infinity without any: then nobody is waited for. */
  get least(): number {
    return Math.min(...[...this.present].map((member) => this.steps[member]!))
  }

  /**
   * Counts one more step of a member, and waits while it has done more than `ahead` steps more than the slowest one present.
   * @throws RunError for one that is no member; the reason of `signal` when it is aborted: the step counts nevertheless.
   */
  async advance(member: number, ahead: number, signal?: AbortSignal): Promise<void> {
    this.demandMember(member)
    this.steps[member]!++
    this.serve()
    if (!this.isTooFar(member, ahead)) return
    signal?.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiter: Waiter = { member, ahead, go: resolve }
    const stop = (): void => {
      this.line = this.line.filter((other) => other !== waiter)
      reject(signal!.reason)
    }
    signal?.addEventListener('abort', stop, { once: true })
    this.line.push(waiter)
    try {
      await promise
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  /**
   * Says who is present. Who was not before begins where the slowest of the others is, so that nobody waits for steps that it missed.
   * @throws RunError for one that is no member.
   */
  setPresent(members: readonly number[]): void {
    members.forEach((member) => this.demandMember(member))
    const stayed = members.filter((member) => this.present.has(member))
    const least = stayed.length === 0 ? 0 : Math.min(...stayed.map((member) => this.steps[member]!))
    for (const member of members)
      if (!this.present.has(member)) this.steps[member] = Math.max(this.steps[member]!, least)
    this.present = new Set(members)
    this.serve()
  }

  private isTooFar(member: number, ahead: number): boolean {
    return this.steps[member]! - this.least > ahead
  }

  private serve(): void {
    const going = this.line.filter(({ member, ahead }) => !this.isTooFar(member, ahead))
    this.line = this.line.filter((waiter) => !going.includes(waiter))
    going.forEach(({ go }) => go())
  }

  private demandMember(member: number): void {
    if (this.steps[member] === undefined)
      throw new RunError(`there is no member ${member}, only 0 to ${this.steps.length - 1}`)
  }
}
