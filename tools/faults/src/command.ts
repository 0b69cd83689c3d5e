// Programs of the system that the suite uses to bring faults about.
import { execFile, spawnSync } from 'node:child_process'

/** Runs a program. @throws Error with what it said, where it fails or is not there. */
export function command(program: string, ...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, (error, stdout, stderr) => {
      if (error) reject(new Error(`${program} ${args.join(' ')}: ${stderr.trim() || error.message}`))
      else resolve(stdout)
    })
  })
}

/** Why something cannot be done, as its error says; undefined where it can. */
export async function whyNot(attempt: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await attempt()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** Has a program run if this process ends before what is answered was called: what it made of the system shall not outlive it. */
export function atExit(program: string, ...args: readonly string[]): () => void {
  const run = (): void => void spawnSync(program, args)
  process.once('exit', run)
  return () => void process.off('exit', run)
}
