// What happens to a job, from its beginning or some later event on, over restarts of the agent that tells it.
import { asError, Backoff, pause } from '@shoal/distributed/peers'
import type { JobEvent, JobState } from '@shoal/edge-agent/client'
import type { Agent } from '../agent/agent.ts'
import { commandError } from '../errors.ts'
import type { Invocation } from '../invocation.ts'
import { isOver } from './states.ts'

/** Some events, and where the job stands after them. */
export interface Happened {
  readonly events: readonly JobEvent[]
  readonly state: JobState
}

/** How to follow. */
export interface FollowOptions {
  /** Go on until the job is over? Otherwise until there is nothing new. Default: true. */
  readonly untilOver?: boolean
  /** Ends it. */
  readonly signal?: AbortSignal
  /** Told when the agent is not there, and when it is again. Default: nobody is. */
  readonly away?: (error: Error | undefined) => void
}

/** Milliseconds that one question waits at the agent. */
const waitMs = 10_000
/** A job that is over has an event that says so, which may come a moment later. */
const lastWaitMs = 1000
/** Milliseconds that an agent may be away. */
const patienceMs = 120_000

/** Answers all events of a job, then those that come. @throws what the agent throws, and NoAgentError when it stays away for two minutes. */
export async function* follow(
  invocation: Invocation,
  job: string,
  { untilOver = true, signal, away = () => undefined }: FollowOptions = {},
): AsyncGenerator<Happened> {
  const { clock, random } = invocation.shell
  const backoff = new Backoff({ random })
  let agent: Agent | undefined
  let lostAt: number | undefined
  let from = 0
  let state: JobState = 'queued'
  let saysOver = false
  const wait = (): number => {
    if (!untilOver || saysOver) return 0
    return isOver(state) ? lastWaitMs : waitMs
  }
  try {
    for (;;) {
      try {
        agent ??= await invocation.agent(signal)
        const answer = await agent.events(job, from, { waitMs: wait(), ...(signal && { signal }) })
        if (lostAt !== undefined) away(undefined)
        lostAt = undefined
        backoff.reset()
        from = answer.next
        state = answer.state
        saysOver ||= answer.events.some((event) => event.kind === 'state' && isOver(event.state))
        if (answer.events.length > 0) yield answer
        else if (!untilOver || isOver(state)) return
      } catch (thrown) {
        if (signal?.aborted) return
        if (commandError(thrown).kind !== 'noAgent') throw thrown
        lostAt ??= clock.now()
        if (clock.now() - lostAt > patienceMs) throw thrown
        away(asError(thrown))
        await agent?.[Symbol.asyncDispose]()
        agent = undefined
        await pause(backoff.next(), clock, signal).catch(() => undefined)
        if (signal?.aborted) return
      }
    }
  } finally {
    await agent?.[Symbol.asyncDispose]()
  }
}
