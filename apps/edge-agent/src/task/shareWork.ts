// Work in pieces that the tasks of a job share: each piece is done once, by whoever comes first, and again by another where that one was lost.
import { pause } from '@shoal/distributed/peers'
import { createStudy, gridSampler, int, TrialLostError } from '@shoal/tune'
import { DocumentStorage } from './documentStorage.ts'
import { type TaskContext, writerOf } from './taskContext.ts'

/** What is to be done. */
export interface SharedWork {
  /** The document that says which pieces are done: all tasks give the same name. */
  readonly name: string
  /** How many pieces there are, at least 1. */
  readonly pieces: number
  /** Milliseconds that a task may be silent before its piece is given to another one. */
  readonly leaseMs: number
  /**
   * Does a piece, counted from 0. What it makes has to be kept when it is done, under a name that it would have as well if somebody else had done it:
   * a task that was thought lost may still be at it.
   */
  work(piece: number, signal: AbortSignal): Promise<void>
}

/** Milliseconds after which a task looks again whether others are done. */
const lookAgainMs = 500

/**
 * Does pieces until all are done, by this task or by others. It is a search without a goal: the study of the pieces knows who has which, and whether he
 * is still there.
 * @throws what `work` throws: the piece is then given back, for whoever tries again; the reason of the task's signal
 */
export async function shareWork(context: TaskContext, shared: SharedWork): Promise<void> {
  const { name, pieces, leaseMs, work } = shared
  const { documents, means, port } = context
  const { clock } = means
  const storage = new DocumentStorage(documents, { clock, leaseMs, writer: writerOf(context) })
  const study = await createStudy({
    space: { piece: int(0, pieces - 1) },
    sampler: gridSampler({ points: pieces }),
    // However often tasks are lost, the work has to be done: whoever begins them again counts how often.
    retries: Number.MAX_SAFE_INTEGER,
    name,
    storage,
    clock,
    leaseMs,
  })
  const { stopped } = port
  try {
    for (;;) {
      stopped.throwIfAborted()
      const piece = await study.ask()
      if (piece === 'done') return
      if (piece === 'wait') {
        await pause(lookAgainMs, clock, stopped)
        continue
      }
      try {
        await work(piece.params.piece, AbortSignal.any([stopped, piece.signal]))
        await study.tell(piece, 0)
      } catch (error) {
        // Who has it now does the same.
        if (error instanceof TrialLostError || piece.signal.aborted) continue
        if (!stopped.aborted) await study.release(piece)
        throw error
      }
    }
  } finally {
    study.close()
  }
}
