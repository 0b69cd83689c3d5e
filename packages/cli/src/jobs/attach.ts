// Watching a job: a picture that changes where there is a terminal, lines where there is none, JSON where that is asked for.
import type { JobEvent, JobView } from '@shoal/edge-agent/client'
import { CommandError, InterruptedError } from '../errors.ts'
import type { Invocation } from '../invocation.ts'
import { LivePicture } from '../terminal/livePicture.ts'
import { drawJob } from './draw.ts'
import { follow } from './follow.ts'
import { EventLines } from './lines.ts'
import { JobProgress } from './progress.ts'
import { isOver } from './states.ts'

/** Milliseconds in which a second Ctrl-C asks to stop. */
export const secondChanceMs = 2000

/** What is shown of a job while it goes on. */
interface Viewer extends Disposable {
  take(event: JobEvent): void
  /** Says something that is no event. */
  say(line: string): void
}

/**
 * Watches a job until it is over. Ctrl-C goes away from it; a second one within two seconds asks it to stop.
 * @throws CommandError where the job has failed or was stopped, InterruptedError after Ctrl-C.
 */
export async function attach(invocation: Invocation, job: string): Promise<void> {
  const progress = new JobProgress()
  using interruption = new Interruption(invocation)
  {
    using viewer = viewerOf(invocation, progress)
    const away = onChange((error) =>
      viewer.say(
        error ? `the agent is not there, waiting for it: ${error.message}` : 'the agent is there again',
      ),
    )
    for await (const { events } of follow(invocation, job, { signal: interruption.signal, away }))
      for (const event of events) {
        progress.add(event)
        viewer.take(event)
      }
  }
  if (interruption.signal.aborted) await leave(invocation, job, interruption)
  const { name } = progress
  const { state, reason } = isOver(progress.state) ? progress : await viewOf(invocation, job)
  if (state === 'succeeded') return
  throw new CommandError(
    `${name} (${job}) ${state === 'stopped' ? 'was stopped' : 'has failed'}${reason && `: ${reason}`}`,
    {
      remedy: `what its tasks wrote: shoal logs ${job}`,
    },
  )
}

/** Where the job stands by its own account: its last event may be lost with the node that wrote it. */
async function viewOf(invocation: Invocation, job: string): Promise<JobView> {
  await using agent = await invocation.agent()
  return await agent.job(job)
}

/** Told every time, tells of changes only. */
function onChange(tell: (error: Error | undefined) => void): (error: Error | undefined) => void {
  let wasAway = false
  return (error) => {
    if ((error !== undefined) !== wasAway) tell(error)
    wasAway = error !== undefined
  }
}

function viewerOf(invocation: Invocation, progress: JobProgress): Viewer {
  const { out, clock, today } = invocation.shell
  if (invocation.json)
    return {
      take: (event) => invocation.line(event),
      say: () => undefined,
      [Symbol.dispose]: () => undefined,
    }
  const lines = new EventLines(out)
  if (!out.isTerminal)
    return {
      take(event) {
        const line = lines.of(event)
        if (line !== undefined) out.print(line)
      },
      say: (line) => invocation.note(line),
      [Symbol.dispose]: () => undefined,
    }
  const style: typeof out.style = (as, text) => out.style(as, text)
  const picture = new LivePicture(out, clock, () =>
    drawJob(progress, { columns: out.columns ?? 80, rows: out.rows, style, now: today() }),
  )
  return {
    take(event) {
      if (event.kind === 'log') picture.above(lines.log(event))
      else picture.changed()
    },
    say: (line) => picture.above(out.style('yellow', line)),
    [Symbol.dispose]: () => picture[Symbol.dispose](),
  }
}

/** Ctrl-C, once and twice. */
class Interruption implements Disposable {
  readonly #first = new AbortController()
  readonly #second = Promise.withResolvers<boolean>()
  readonly #forget: () => void
  #disarm: (() => void) | undefined

  constructor({ shell }: Invocation) {
    this.#forget = shell.onInterrupt(() => {
      if (this.#first.signal.aborted) return this.#second.resolve(true)
      this.#disarm = shell.clock.after(secondChanceMs, () => this.#second.resolve(false))
      this.#first.abort()
    })
  }

  /** Aborted by the first. */
  get signal(): AbortSignal {
    return this.#first.signal
  }

  /** Whether there was another one soon after the first. */
  get again(): Promise<boolean> {
    return this.#second.promise
  }

  [Symbol.dispose](): void {
    this.#forget()
    this.#disarm?.()
  }
}

/** Goes away from the job; stops it where Ctrl-C comes again soon. */
async function leave(invocation: Invocation, job: string, { again }: Interruption): Promise<never> {
  invocation.note(
    `The job goes on. Watch it again: shoal attach ${job}. Ctrl-C again within 2 s ends it, and later: shoal stop ${job}`,
  )
  if (await again) {
    await using agent = await invocation.agent()
    await agent.stopJob(job, 'stopped by Ctrl-C')
    invocation.note(`${job} is asked to stop.`)
  }
  throw new InterruptedError()
}
