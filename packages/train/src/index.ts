// What @shoal/train offers everywhere; checkpoints on disk, progress bars and event files are in @shoal/train/node.
export type { AverageOptions } from './averages.ts'
export { MovingAverages } from './averages.ts'
export * from './checkpoint/errors.ts'
export * from './checkpoint/safetensors.ts'
export * from './checkpoint/saver.ts'
export * from './checkpoint/values.ts'
export type { Clip } from './clip.ts'
export { clipByGlobalNorm, clipByNorm, clipByValue, globalNorm } from './clip.ts'
export * from './hook.ts'
export * from './hooks/earlyStopping.ts'
export * from './hooks/logging.ts'
export * from './hooks/saveEvery.ts'
export * from './hooks/stopAtStep.ts'
export * from './hooks/stopOnNonFinite.ts'
export * from './metrics/accuracy.ts'
export * from './metrics/confusionTable.ts'
export * from './metrics/means.ts'
export * from './metrics/ranking.ts'
export type { NonFinite } from './nonFinite.ts'
export { findNonFinite } from './nonFinite.ts'
export type {
  ApplyOptions,
  GradientPair,
  MinimizeOptions,
  OptimizerOptions,
  Rule,
  RuleInputs,
  SlotTensors,
  SlotValues,
} from './optimizer.ts'
export { lossGradients, Optimizer } from './optimizer.ts'
export * from './optimizers/adadelta.ts'
export * from './optimizers/adagrad.ts'
export type { AdamOptions, AdamSlots } from './optimizers/adam.ts'
export { adam } from './optimizers/adam.ts'
export * from './optimizers/adamax.ts'
export * from './optimizers/adamW.ts'
export * from './optimizers/ftrl.ts'
export * from './optimizers/gradientDescent.ts'
export * from './optimizers/momentum.ts'
export * from './optimizers/proximalAdagrad.ts'
export * from './optimizers/rmsProp.ts'
export type { Rate, Schedule } from './rate.ts'
export * from './schedules.ts'
export * from './train.ts'
export * from './variables.ts'
