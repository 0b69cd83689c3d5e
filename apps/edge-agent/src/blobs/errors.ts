// What can go wrong with bytes that are kept: there is no room, they are not what they were, nobody has them, or they make no dataset.
import { ShoalError } from '@shoal/core'

/** There is no room for bytes that were to be kept. Nothing that was there before has suffered. */
export class StorageFullError extends ShoalError {
  override readonly name: string = 'StorageFullError'
  /** Bytes that were to be written. */
  readonly neededBytes: number
  /** Bytes that there would have been room for, after all that may be dropped was. */
  readonly freeBytes: number

  constructor(
    message: string,
    room: { readonly neededBytes: number; readonly freeBytes: number; readonly cause?: unknown },
  ) {
    super(message, { cause: room.cause })
    this.neededBytes = room.neededBytes
    this.freeBytes = room.freeBytes
  }
}

/** Bytes that do not have the hash that they go by. They were dropped, so that they can be had again from elsewhere. */
export class CorruptBlobError extends ShoalError {
  override readonly name: string = 'CorruptBlobError'
}

/** No node that could be asked had the blob, or none gave it whole. */
export class BlobUnavailableError extends ShoalError {
  override readonly name: string = 'BlobUnavailableError'
}

/** Files that cannot be made a dataset, or a manifest that contradicts itself or its shards. */
export class DatasetError extends ShoalError {
  override readonly name: string = 'DatasetError'
}
