// What the tables that map PyTorch's cases to Shoal hold.
import type { Tensor } from '@shoal/core'
import type { Outputs } from '../case.ts'

/** Builds a case on placeholders for its inputs; one tensor stands for output 'y'. */
export type TorchBuilder = (
  inputs: Readonly<Record<string, Tensor>>,
  attrs: Readonly<Record<string, unknown>>,
) => Outputs

/** Builders by the name that the data has for the operation. */
export type TorchBuilders = Readonly<Record<string, TorchBuilder>>
