// How a history looks on the disk: a journal of one job's events, one a line, in the job's folder.
import { join } from 'node:path'
import { jobIdSchema } from '../jobs/spec.ts'
import { type JobEvent, jobEventSchema } from './event.ts'
import { type JournalFormat, parsed, readJournal } from './journal.ts'
import type { Line } from './lines.ts'

/** The journals of job histories. */
export const historyFormat: JournalFormat = { format: 'shoal-history', version: 1 }

/** Where the history of a job is in a folder of jobs, each of which has a folder of its own. */
export const historyPath = (folder: string, job: string): string => join(folder, job, 'events.jsonl')

/** Is this the name of the folder of a job? */
export const isJobFolder = (name: string): boolean => jobIdSchema.safeParse(name).success

/** The event of a line; undefined where it is damaged, or of a kind that this version does not know. */
export function eventOf({ text }: Line): JobEvent | undefined {
  if (text === undefined) return undefined
  const result = jobEventSchema.safeParse(parsed(text))
  return result.success ? result.data : undefined
}

/** A line of a history, read: an event, or undefined where the line cannot be read. */
export type HistoryEntry = JobEvent | undefined

/** All lines of a history in turn, also of one that is being written. @throws JournalError where the file is none, or of a newer version. */
export async function* readHistory(path: string): AsyncGenerator<HistoryEntry, void, undefined> {
  for await (const line of readJournal(path, historyFormat)) yield eventOf(line)
}
