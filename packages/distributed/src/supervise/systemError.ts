// Errors of the operating system: a full disk, a folder that may not be written, a port that is taken.

/** An error that a call of the system ended in. */
export type SystemError = Error & { readonly code: string; readonly syscall: string }

/** Did a call of the system end in this error? */
export const isSystemError = (error: unknown): error is SystemError =>
  error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string'
