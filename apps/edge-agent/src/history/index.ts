// What programs need that tell of finished runs by their logs alone.
export type { JobEvent } from './event.ts'
export { historyPath, readHistory } from './format.ts'
export { type HistoryView, listHistories } from './jobs.ts'
export { type JobSummary, summarise } from './replay.ts'
