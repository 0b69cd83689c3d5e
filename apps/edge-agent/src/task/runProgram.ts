// Where the process of a task begins: what is bundled with a program, and runs it.
import { openTaskPort } from './port.ts'
import { runTask } from './runTask.ts'

/** Runs a program as the task that this process was started for, and tells its agent how that ended. */
export async function runProgram(program: unknown): Promise<void> {
  const port = await openTaskPort()
  await port.ended(await runTask(program, port))
}
