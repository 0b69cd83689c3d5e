// Staying alive: sessions that survive the loss of tasks, one chief at a time, and what a program says when it ends.
export { Chiefship, type ChiefshipOptions } from './chiefship.ts'
export { exitCodeOf, TerminatedError } from './exitCode.ts'
export * from './lease.ts'
export * from './liveness.ts'
export { MonitoredSession, monitoredSession, type MonitoredSessionOptions } from './monitoredSession.ts'
export type { StepFetches } from './progress.ts'
export { SessionManager, type SessionManagerOptions } from './sessionManager.ts'
