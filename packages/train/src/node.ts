// What @shoal/train offers in Node besides: checkpoints on disk, progress on the terminal, event files.
export type { CheckpointEntry } from './checkpoint/catalogue.ts'
export type { CheckpointsOptions } from './checkpoint/checkpoints.ts'
export { Checkpoints, readCheckpoint } from './checkpoint/checkpoints.ts'
export * from './summary/eventFile.ts'
export * from './terminal/progress.ts'
