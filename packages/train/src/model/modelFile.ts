// A model as one file of safetensors: the values of its variables are the tensors, all else stands in the metadata as text.
import type { AnyOp, GraphDefLimits, LoadedGraph, NDArray, Tensor } from '@shoal/core'
import { fromGraphDef, toGraphDef } from '@shoal/core'
import type { Safetensors } from '../checkpoint/safetensors.ts'
import { decodeSafetensors, encodeSafetensors } from '../checkpoint/safetensors.ts'
import { checksum } from './checksum.ts'
import { ModelError } from './errors.ts'
import type { CaptureOptions, Metadata, Signature } from './savedModel.ts'
import { captureModel, SavedModel } from './savedModel.ts'

/** The version that is written; no other is read. */
const version = '1'
/** Keys of the metadata that are the format's own; the rest is whoever saved the model's. */
const own = 'shoal.'
const keys = {
  version: `${own}model`,
  signature: `${own}signature`,
  graph: `${own}graph`,
  checksum: `${own}checksum`,
} as const

/** The ops that a model may be made of. */
export interface OpsOption {
  /** Default: all standard ones. */
  readonly ops?: readonly AnyOp[]
}

/**
 * A model as bytes of a safetensors file: other programs read its values, and under `shoal.signature` what it takes and gives.
 * @param options.ops what the reader will know; composites that are not among them are written as their parts.
 * @throws ModelError for metadata under names that begin with `shoal.`; GraphDefError for ops that cannot be written (host functions); CheckpointError
 * where graph and metadata take more than 100 MB.
 */
export function encodeModel(model: SavedModel, options: OpsOption = {}): Uint8Array {
  const taken = Object.keys(model.metadata).find((key) => key.startsWith(own))
  if (taken !== undefined)
    throw new ModelError(`metadata '${taken}': names that begin with ${own} are the format's own`)
  // Fetches keep their names, those of nodes may change: inputs are found again because they are fetches too.
  const fetches = { ...prefixed('input', model.inputs), ...prefixed('output', model.outputs) }
  const metadata = {
    ...model.metadata,
    [keys.version]: version,
    [keys.signature]: JSON.stringify(model.signature),
    [keys.graph]: JSON.stringify(toGraphDef(fetches, { ...options, initialValues: false })),
  }
  return encodeSafetensors(model.values, { ...metadata, [keys.checksum]: checksum(metadata, model.values) })
}

/** The model as it is now, as bytes of one file: `encodeModel` of `captureModel`. @throws as those two do. */
export const saveModel = async (options: CaptureOptions & OpsOption): Promise<Uint8Array> =>
  encodeModel(await captureModel(options), options.ops ? { ops: options.ops } : {})

/**
 * The model of a file, whoever made it: nothing in it can make run more than the ops given. Values share the memory of `bytes` where they are aligned.
 * @param options.limits how much the graph may hold, see GraphDefLimits.
 * @throws ModelError for a file that is damaged (it has a CRC-32C of all that it holds), no model, of another version, or made of ops that are not known.
 */
export function loadModel(
  bytes: Uint8Array,
  options: OpsOption & { readonly limits?: Partial<GraphDefLimits> } = {},
): SavedModel {
  const { tensors, metadata } = decoded(bytes)
  const found = metadata[keys.version]
  if (found === undefined)
    throw new ModelError(
      'this is a safetensors file without a model: it holds values and no graph, as checkpoints do; restore it into the program that made it',
    )
  if (found !== version)
    throw new ModelError(
      `the model is of version ${found}, this release reads version ${version}: save it anew`,
    )
  const { [keys.checksum]: sum, ...checked } = metadata
  if (sum !== checksum(checked, tensors))
    throw new ModelError('the file is damaged, or was changed: its checksum is not that of what it holds')
  const { fetches } = graphOf(metadata[keys.graph] ?? '', options)
  const model = assembled(fetches, tensors, metadata)
  if (gist(metadata[keys.signature] ?? '') !== gist(JSON.stringify(model.signature)))
    throw new ModelError('the signature in the file is not that of its graph: the file was changed')
  return model
}

/** What of a signature every release agrees on: how much is known of the sizes of outputs depends on the rules of ops. */
function gist(signature: string): string | undefined {
  try {
    const { inputs, outputs } = JSON.parse(signature) as Signature
    return JSON.stringify([inputs, Object.entries(outputs).map(([name, { dtype }]) => [name, dtype])])
  } catch {
    return undefined
  }
}

function decoded(bytes: Uint8Array): Safetensors {
  try {
    return decodeSafetensors(bytes)
  } catch (cause) {
    throw new ModelError(`this is no file of a model, or a damaged one: ${(cause as Error).message}`, {
      cause,
    })
  }
}

function graphOf(text: string, options: Parameters<typeof fromGraphDef>[1]): LoadedGraph {
  try {
    return fromGraphDef(text, options)
  } catch (cause) {
    throw new ModelError(`the graph of the model cannot be used: ${(cause as Error).message}`, { cause })
  }
}

function assembled(
  fetches: ReadonlyMap<string, Tensor>,
  values: ReadonlyMap<string, NDArray>,
  metadata: Metadata,
): SavedModel {
  return new SavedModel({
    inputs: under('input', fetches),
    outputs: under('output', fetches),
    values,
    metadata: Object.fromEntries(Object.entries(metadata).filter(([key]) => !key.startsWith(own))),
  })
}

const prefixed = (kind: string, tensors: Readonly<Record<string, Tensor>>): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [`${kind}/${name}`, tensor]))

const under = (kind: string, fetches: ReadonlyMap<string, Tensor>): Record<string, Tensor> =>
  Object.fromEntries(
    [...fetches].flatMap(([name, tensor]) =>
      name.startsWith(`${kind}/`) ? [[name.slice(kind.length + 1), tensor] as const] : [],
    ),
  )
