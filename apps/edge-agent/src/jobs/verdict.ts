// What follows from how the tasks of a job stand: pure, so that every case can be looked at.
import { isOver } from './head.ts'
import { type JobRecord, taskOf } from './record.ts'

/** What is to be done next. */
export type Verdict =
  | { readonly kind: 'goOn' }
  /** There are tasks that have no place, or may get one. */
  | { readonly kind: 'place' }
  /** A gang has lost one of its tasks. */
  | { readonly kind: 'restart'; readonly reason: string }
  | { readonly kind: 'finish'; readonly state: 'succeeded' | 'failed'; readonly reason: string }

/** What is to be done next for a job that is not over. */
export function judge(record: JobRecord): Verdict {
  const { spec, tasks, state, failures, reason } = record
  if (isOver(state)) return { kind: 'goOn' }
  if (failures > spec.retries) return { kind: 'finish', state: 'failed', reason }
  if (state === 'queued') return { kind: 'place' }
  const working = tasks.filter(({ task }) => !spec.serving.includes(taskOf(task).job))
  return spec.scheduling === 'gang' ? judgeGang(record, working) : judgeElastic(working)
}

function judgeGang({ tasks }: JobRecord, working: JobRecord['tasks']): Verdict {
  if (working.length > 0 && working.every(({ state }) => state === 'done'))
    return { kind: 'finish', state: 'succeeded', reason: '' }
  const broken = tasks.find(({ state }) => state === 'lost' || state === 'failed')
  if (broken)
    return {
      kind: 'restart',
      reason: `${broken.task} on '${broken.node}' ${broken.state === 'lost' ? 'was lost' : 'has failed'}: all begin again from the last checkpoint`,
    }
  return { kind: 'goOn' }
}

function judgeElastic(working: JobRecord['tasks']): Verdict {
  const isRunning = working.some(({ state }) => state === 'running')
  // A task that has returned has found nothing more to do.
  if (working.some(({ state }) => state === 'done'))
    return isRunning ? { kind: 'goOn' } : { kind: 'finish', state: 'succeeded', reason: '' }
  // There may be room for more, or others may need some of what it has.
  return { kind: 'place' }
}
