// A program of the system that is run for what it does or says.
import { execFile } from 'node:child_process'
import { ShoalError } from '@shoal/core'

/** What became of a program. */
export interface Ended {
  /** 0 where all went well; undefined where it could not be started or was killed. */
  readonly code: number | undefined
  /** What it wrote, errors included. */
  readonly output: string
  /** Is there no such program? */
  readonly missing: boolean
}

/** Runs a program to its end. Never throws. */
export type RunCommand = (command: string, args: readonly string[]) => Promise<Ended>

/** A service that could not be installed or removed. */
export class ServiceError extends ShoalError {
  override readonly name = 'ServiceError'
}

/** A manager that does not answer within so many milliseconds is stuck: it stops services for at most 90 seconds. */
const timeoutMs = 120_000

/** Runs a program of this machine. */
export const runCommand: RunCommand = (command, args) =>
  new Promise((resolve) => {
    execFile(command, args, { timeout: timeoutMs }, (error, stdout, stderr) => {
      const code = error ? (typeof error.code === 'number' ? error.code : undefined) : 0
      const output = `${stdout}${stderr}`.trim() || (error?.message ?? '')
      resolve({ code, output, missing: error?.code === 'ENOENT' })
    })
  })
