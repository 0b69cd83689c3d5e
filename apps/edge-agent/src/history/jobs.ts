// Which runs a folder remembers: the first line of each history says what it was, its end how it went.
import { open, readdir } from 'node:fs/promises'
import { asError } from '@shoal/distributed/peers'
import { codeOf } from '../blobs/disk.ts'
import type { JobSpec, JobState } from '../jobs/spec.ts'
import { JournalError } from './errors.ts'
import type { JobEvent } from './event.ts'
import { eventOf, historyFormat, historyPath, isJobFolder } from './format.ts'
import { readJournal } from './journal.ts'
import { linesOf } from './lines.ts'

/** A history in a list. */
export type HistoryView = {
  readonly job: string
  readonly path: string
  /** Of the file. */
  readonly bytes: number
} & (
  | {
      readonly readable: true
      readonly name: string
      readonly kind: JobSpec['kind']
      readonly submittedAt: number
      /** The last that was told of. */
      readonly state: JobState
      /** Why, where that is no matter of course. */
      readonly reason: string
      /** Undefined while it has not ended, as far as the history tells. */
      readonly endedAt: number | undefined
    }
  | {
      readonly readable: false
      /** Why it cannot be read, and what to do. */
      readonly problem: string
    }
)

/** The end of a history in which its last state is looked for first. */
const endBytes = 2 ** 16

type StateEvent = Extract<JobEvent, { kind: 'state' }>

/** The histories of a folder, the newest first; those that cannot be read are last. A folder that is not there has none. */
export async function listHistories(folder: string): Promise<readonly HistoryView[]> {
  let names: readonly string[] = []
  try {
    names = await readdir(folder)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
  const views: HistoryView[] = []
  for (const name of names) {
    if (isJobFolder(name)) views.push(await viewOf(historyPath(folder, name), name))
  }
  const age = (view: HistoryView): number => (view.readable ? -view.submittedAt : Infinity)
  return views.toSorted((a, b) => age(a) - age(b) || (a.job < b.job ? -1 : 1))
}

async function viewOf(path: string, job: string): Promise<HistoryView> {
  let bytes = 0
  try {
    const file = await open(path, 'r')
    await using _closing = { [Symbol.asyncDispose]: () => file.close() }
    bytes = (await file.stat()).size
    const { spec, at: submittedAt } = await submittedIn(path)
    const { name, kind } = spec
    // Most often the state is among the last lines; a job that goes on may have written much since.
    const state =
      (await lastState(file, Math.max(0, bytes - endBytes), bytes)) ?? (await lastState(file, 0, bytes))
    const ended = state && ['succeeded', 'failed', 'stopped'].includes(state.state)
    return {
      job,
      path,
      bytes,
      readable: true,
      name,
      kind,
      submittedAt,
      state: state?.state ?? 'queued',
      reason: state?.reason ?? '',
      endedAt: ended ? state.at : undefined,
    }
  } catch (error) {
    return { job, path, bytes, readable: false, problem: asError(error).message }
  }
}

async function submittedIn(path: string): Promise<Extract<JobEvent, { kind: 'submitted' }>> {
  for await (const line of readJournal(path, historyFormat)) {
    const event = eventOf(line)
    if (event?.kind === 'submitted') return event
    break
  }
  throw new JournalError(`${path}: its first event does not tell what the job was: it is missing or damaged`)
}

/** The last change of state that is told of between two positions; a line that began before the first is passed over. */
async function lastState(
  file: Parameters<typeof linesOf>[0],
  from: number,
  to: number,
): Promise<StateEvent | undefined> {
  let last: StateEvent | undefined
  for await (const line of linesOf(file, from, to)) {
    // Nearly all lines are something else: they need not be parsed.
    if (!line.text?.includes('"kind":"state"')) continue
    const event = eventOf(line)
    if (event?.kind === 'state') last = event
  }
  return last
}
