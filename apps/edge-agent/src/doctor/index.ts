// What the command needs that says why something does not work.
export { diagnose } from './diagnose.ts'
export { type Finding, type Subject, subjects } from './finding.ts'
export type { AgentReport, AskedAgent, Means } from './patient.ts'
