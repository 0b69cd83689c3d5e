// What a program says when it ends: an exit code from which whoever started it knows whether to start it again.
import { DeviceLostError, ShoalError } from '@shoal/core'
import {
  CancelledError,
  ConnectError,
  ConnectionLostError,
  DeadlineError,
  UnavailableError,
} from '../errors.ts'
import { isSystemError } from './systemError.ts'

/** The system has asked this process to end: by whoever needs the machine for something else, as a rule, and starts the program again elsewhere. */
export class TerminatedError extends ShoalError {
  override readonly name: string = 'TerminatedError'
  readonly signal: 'SIGTERM' | 'SIGINT'
  constructor(signal: TerminatedError['signal']) {
    super(`the process was asked to end by ${signal}`)
    this.signal = signal
  }
}

/** Errors that pass: peers come back, and machines are given other work. */
const passing = [UnavailableError, ConnectionLostError, ConnectError, DeadlineError, DeviceLostError]

/** Errors of the system that pass, when somebody makes room, or the network is there again. */
const passingCodes = new Set(
  [
    'EAGAIN EBUSY EDQUOT EIO EMFILE ENFILE ENOMEM ENOSPC ESTALE',
    'EADDRINUSE EAI_AGAIN ECONNABORTED ECONNREFUSED ECONNRESET EHOSTUNREACH',
    'ENETDOWN ENETUNREACH EPIPE ETIMEDOUT',
  ].flatMap((codes) => codes.split(' ')),
)

/** The exit codes of programs that train. Those from 128 on say that the program may be started again. */
export const exitCodes = {
  done: 0,
  /** Starting it again would end in the same error. */
  failed: 1,
  /** 128 + SIGUSR1, which training operators read as "start it again". */
  tryAgain: 138,
  /** 128 + SIGINT, and 128 + SIGTERM: it was asked to end, and has. */
  SIGINT: 130,
  SIGTERM: 143,
} as const

/** May what failed succeed when it is tried again, by a program that is started anew? Errors that are not Shoal's are judged by their causes, too. */
function isPassing(error: unknown, seen: readonly unknown[] = []): boolean {
  if (passing.some((Passing) => error instanceof Passing)) return true
  // Other errors of Shoal's say what is wrong with the program or its data, whatever has led to them.
  if (!(error instanceof Error) || error instanceof ShoalError || seen.includes(error)) return false
  if (isSystemError(error) && passingCodes.has(error.code)) return true
  return isPassing(error.cause, [...seen, error])
}

/**
 * The code that a program should exit with because of an error: 1 where it would come again (a graph, options or certificates that are wrong), 138
 * where it may pass (peers that are gone, deadlines, a lost device, a full disk). Kubernetes' training operators, with the restart policy
 * `ExitCode`, start a program again for 128 and above, and take 1 to 127 for its end. Where the system has asked the program to end, what the
 * system's own code would be: 143 for SIGTERM, 130 for SIGINT.
 * @param error undefined for a program that has done its work: 0.
 */
export function exitCodeOf(error: unknown): number {
  if (error === undefined) return exitCodes.done
  if (error instanceof TerminatedError) return exitCodes[error.signal]
  // What was withdrawn was so for a reason.
  if (error instanceof CancelledError && error.cause !== undefined) return exitCodeOf(error.cause)
  return isPassing(error) ? exitCodes.tryAgain : exitCodes.failed
}
