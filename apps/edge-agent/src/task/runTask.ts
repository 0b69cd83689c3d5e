// The life of a task inside its process: what was asked for is run, everything that it left open is closed, and the end has a name.
import { runEnsemble } from './ensemble.ts'
import { partOf } from './program.ts'
import { runSearch } from './search.ts'
import type { TaskEnd } from './services.ts'
import { contextOf, systemMeans, type TaskContext, type TaskMeans } from './taskContext.ts'
import type { TaskPort } from './taskPort.ts'
import { TrainingTask } from './trainingTask.ts'

/** Characters of the reason for which a task failed. All of it is in its output. */
const mostMessage = 2000

/** Runs a program as a task, and answers how that ended. It never rejects. */
export async function runTask(
  program: unknown,
  port: TaskPort,
  means: TaskMeans = systemMeans,
): Promise<TaskEnd> {
  const context = contextOf(port, means)
  try {
    await using _closing = context.closing
    await runKind(program, context)
  } catch (thrown) {
    if (!port.stopped.aborted) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown))
      for (const line of (error.stack ?? error.message).split('\n')) port.services.log('stderr', line)
      return { kind: 'failed', message: `${error.name}: ${error.message}`.slice(0, mostMessage) }
    }
  }
  return { kind: port.stopped.aborted ? 'stopped' : 'done' }
}

function runKind(program: unknown, context: TaskContext): Promise<void> {
  const { kind } = context.port.assignment
  switch (kind) {
    case 'train':
      return partOf(program, kind)(new TrainingTask(context))
    case 'search':
      return runSearch(partOf(program, kind), context)
    case 'ensemble':
      return runEnsemble(partOf(program, kind), context)
    default:
      throw kind satisfies never
  }
}
