// What a command can fail with: each error knows its exit code, and what to do about it. They stand on nothing, so that `--help` loads nothing.

/** Exit codes, as the README lists them. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  noAgent: 3,
  refused: 4,
  notFound: 5,
  interrupted: 130,
} as const

/** Why a command failed, as a word that programs can match on. */
export type FailureKind = Exclude<keyof typeof exitCodes, 'ok'>

/** The base of what commands fail with on purpose: a message, what to do, and the exit code. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError'
  readonly kind: FailureKind
  /** What to do; may be empty. */
  readonly remedy: string
  constructor(
    message: string,
    { kind = 'failed', remedy = '', cause }: { kind?: FailureKind; remedy?: string; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? {} : { cause })
    this.kind = kind
    this.remedy = remedy
  }
}

/** A command line, a config file or a variable of the environment that does not say what can be done. */
export class UsageError extends CommandError {
  override readonly name: string = 'UsageError'
  constructor(message: string, remedy = '') {
    super(message, { kind: 'usage', remedy })
  }
}
/** No agent runs on this machine, or none that answers. */
export class NoAgentError extends CommandError {
  override readonly name: string = 'NoAgentError'
  constructor(message: string, options: { remedy?: string; cause?: unknown } = {}) {
    super(message, { remedy: 'start one: shoal up', ...options, kind: 'noAgent' })
  }
}
/** A job, a node, a file or a model that is not there. */
export class MissingError extends CommandError {
  override readonly name: string = 'MissingError'
  constructor(message: string, remedy = '') {
    super(message, { kind: 'notFound', remedy })
  }
}
/** Ctrl-C: nothing is to be said that has not been said. */
export class InterruptedError extends CommandError {
  override readonly name: string = 'InterruptedError'
  constructor() {
    super('interrupted', { kind: 'interrupted' })
  }
}

/** What errors of agents and libraries mean to whoever typed the command, by their names. */
const kinds: Readonly<Record<string, FailureKind>> = {
  NotFoundError: 'notFound',
  SecurityError: 'refused',
  ValidityError: 'refused',
  JoinError: 'refused',
  CodeError: 'usage',
  ConnectError: 'noAgent',
  ConnectionLostError: 'noAgent',
  DeadlineError: 'noAgent',
  CancelledError: 'interrupted',
  ValueError: 'usage',
}

/** Any error as one that has an exit code. What another node threw is told by the name that it had there. */
export function commandError(thrown: unknown): CommandError {
  if (thrown instanceof CommandError) return thrown
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const { remoteName = error.name, remoteMessage = error.message } = error as {
    readonly remoteName?: string
    readonly remoteMessage?: string
  }
  return new CommandError(remoteMessage, { kind: kinds[remoteName] ?? 'failed', cause: error })
}
