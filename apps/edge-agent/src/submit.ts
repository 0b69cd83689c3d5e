// What it takes to give a cluster a job: its program as one file, its data in shards, and both brought to an agent.
export { blobOf, pushBlob } from './blobs/push.ts'
export { readDataset } from './blobs/readDataset.ts'
export { bundleProgram } from './task/bundle.ts'
