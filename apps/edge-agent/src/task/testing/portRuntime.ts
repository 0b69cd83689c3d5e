// The smallest runtime for tests: a program is a function of its port.
import { openTaskPort } from '../port.ts'
import type { TaskPort } from '../taskPort.ts'

/** Runs a program, and tells its agent how it ended. */
export async function runProgram(program: (port: TaskPort) => unknown): Promise<void> {
  const port = await openTaskPort()
  try {
    await program(port)
    await port.ended({ kind: port.stopped.aborted ? 'stopped' : 'done' })
  } catch (thrown) {
    await port.ended({ kind: 'failed', message: String(thrown) })
  }
}
