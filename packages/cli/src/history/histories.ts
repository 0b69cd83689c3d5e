// The logs of runs that a node has: one folder of them for each cluster that it was of.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type HistoryView, listHistories } from '@shoal/edge-agent/history'
import { MissingError, UsageError } from '../errors.ts'

/** All of some folders, or of the state folder of a node; the newest first. */
export async function historiesOf(where: string | readonly string[]): Promise<readonly HistoryView[]> {
  const folders = typeof where === 'string' ? await foldersOf(where) : where
  const all = (await Promise.all(folders.map(listHistories))).flat()
  const age = (view: HistoryView): number => (view.readable ? -view.submittedAt : Number.POSITIVE_INFINITY)
  return all.toSorted((a, b) => age(a) - age(b))
}

async function foldersOf(state: string): Promise<readonly string[]> {
  const jobs = join(state, 'jobs')
  try {
    return (await readdir(jobs)).map((cluster) => join(jobs, cluster))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** The history of a job by its id, the beginning of it, or its name; of several with a name the newest. @throws MissingError, UsageError. */
export function findHistory(histories: readonly HistoryView[], typed: string): HistoryView {
  const named = histories.find(({ job, ...view }) => job === typed || (view.readable && view.name === typed))
  if (named) return named
  const begun = histories.filter(({ job }) => [job, job.slice(2)].some((text) => text.startsWith(typed)))
  const [only, other] = begun
  if (!only) throw new MissingError(`there is no log of '${typed}'`, 'those that there are: shoal history')
  if (other) throw new UsageError(`'${typed}' may be ${begun.map(({ job }) => job).join(' or ')}`)
  return only
}
