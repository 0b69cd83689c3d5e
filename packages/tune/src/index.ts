// What @shoal/tune offers everywhere; studies in SQLite files are in @shoal/tune/node.

// Search spaces
export type { CategoricalDomain, Domain, FloatDomain, IntDomain, Scalar } from './space/domain.ts'
export { categorical, float, int } from './space/domain.ts'
export type { Branch, Parameter, ParamsOf, Space, Values } from './space/space.ts'
export { branch } from './space/space.ts'

// Studies
export type { Clock } from './clock.ts'
export { StorageError, StudyMismatchError, TrialLostError } from './errors.ts'
export type { Objective, OptimizeOptions } from './study/optimize.ts'
export type { Goal, Outcome, Score, Told } from './study/outcome.ts'
export type { Keeper } from './study/runningTrial.ts'
export { Trial } from './study/runningTrial.ts'
export type { StudyOptions, TrialResult } from './study/study.ts'
export { createStudy, Study } from './study/study.ts'
export { MemoryStorage } from './storage/memory.ts'
export type { Change, StudyHeader, StudyStorage } from './storage/storage.ts'
export type { Direction, Note, Report, TrialRecord, TrialState } from './trial.ts'

// Samplers
export { Random } from './random.ts'
export type { CmaEsOptions } from './samplers/cmaEs.ts'
export { cmaEsSampler } from './samplers/cmaEs.ts'
export type { GaussianProcessOptions } from './samplers/gaussianProcess.ts'
export { gaussianProcessSampler } from './samplers/gaussianProcess.ts'
export type { GradientOptions } from './samplers/gradient.ts'
export { gradientSampler } from './samplers/gradient.ts'
export type { GridOptions } from './samplers/grid.ts'
export { gridSampler } from './samplers/grid.ts'
export type { Nsga2Options } from './samplers/nsga2.ts'
export { nsga2Sampler } from './samplers/nsga2.ts'
export type { PopulationOptions } from './samplers/population.ts'
export { populationSampler } from './samplers/population.ts'
export { quasiRandomSampler } from './samplers/quasiRandom.ts'
export { randomSampler } from './samplers/random.ts'
export type { Proposal, Sampler, Search } from './samplers/sampler.ts'
export type { TpeOptions } from './samplers/tpe.ts'
export { tpeSampler } from './samplers/tpe.ts'

// Pruners
export type { MedianOptions, PercentileOptions } from './pruners/percentile.ts'
export { medianPruner, percentilePruner } from './pruners/percentile.ts'
export type { HyperbandOptions, SuccessiveHalvingOptions } from './pruners/successiveHalving.ts'
export { hyperbandPruner, successiveHalvingPruner } from './pruners/successiveHalving.ts'
export type { Pruner, Race } from './pruners/pruner.ts'

// Gradients through a training
export type { Unrolled, UnrollOptions } from './gradient/unroll.ts'
export { unroll } from './gradient/unroll.ts'
