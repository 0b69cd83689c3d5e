// Trained models of a job: their bytes are blobs, and a document says under which hash each is found.
import { NotFoundError, ValueError } from '@shoal/core'
import type { Json } from '../jobs/json.ts'
import type { TaskContext } from './taskContext.ts'

/** Where a model is. */
export interface KeptModel {
  /** The name of its blob. */
  readonly hash: string
  readonly bytes: number
}

/** The name of a model that is a job's only one. */
export const mainModel = 'model'
/** The document of a model that was saved by name. */
export const modelKey = (name: string): string => `models/${name}`
/** The document of a trial, which says where its model is. */
export const trialKey = (trial: number): string => `trials/${trial}`

/** Keeps the bytes of a model. What the answer says is to stand in a document, or nobody finds them. */
export async function keepModel({ port }: TaskContext, bytes: Uint8Array): Promise<KeptModel> {
  return { hash: await port.services.putBlob(bytes, { signal: port.stopped }), bytes: bytes.byteLength }
}

/**
 * The model that a document tells of, of this job or of another one that it may read.
 * @throws NotFoundError where there is none
 */
export async function findModel(
  { port, documents }: TaskContext,
  key: string,
  from: { readonly jobId?: string } = {},
): Promise<Uint8Array> {
  const kept = keptModel(await documents.read(key, from))
  if (!kept) throw new NotFoundError(`there is no model at '${key}' of ${from.jobId ?? 'this job'}`)
  return port.services.getBlob(kept.hash, { signal: port.stopped })
}

/** The model that a document tells of; undefined where it tells of none. */
export function keptModel(value: Json | undefined): KeptModel | undefined {
  const { hash, bytes } = (value ?? {}) as { readonly [key: string]: Json }
  return typeof hash === 'string' && typeof bytes === 'number' ? { hash, bytes } : undefined
}

/** @throws ValueError for a name that documents cannot have. */
export function demandModelName(name: string): string {
  if (/^[\w.-]{1,100}$/.test(name)) return name
  throw new ValueError(
    `'${name}' cannot be the name of a model: take at most 100 letters, digits, dots, dashes and underscores`,
  )
}
