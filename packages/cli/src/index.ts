// What programs and config files import from 'shoal'.
export type { AgentSettings, JobSettings, ShoalConfig } from './config/config.ts'
export { defineConfig } from './config/config.ts'
// What a program is made of: a task runs it, so that its types are those of tasks.
export type {
  DatasetEntry,
  EnsembleProgram,
  HeldOut,
  Program,
  Replica,
  ReplicaOptions,
  SearchProgram,
  ShardedDataset,
} from '@shoal/edge-agent/task'
export { defineProgram, Task, TrainingTask, trainReplicas, TrialTask } from '@shoal/edge-agent/task'
