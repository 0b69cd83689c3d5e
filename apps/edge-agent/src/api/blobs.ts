// How blobs go from node to node: by their hash, in pieces, so that what breaks off goes on where it was.
import { method, nothing } from '@shoal/distributed/peers'
import { z } from 'zod'
import { hashSchema } from '../blobs/hash.ts'

/** Bytes of a blob that one call may carry. */
export const pieceBytes = 2 ** 20

/** Which of these blobs are there? Answers the bytes of each, or -1. */
export const has = method(
  'blobs.has',
  z.object({ hashes: z.array(hashSchema).max(1000) }),
  z.object({ bytes: z.array(z.int()) }),
)
/** A piece of a blob, as the answer's tensor: uint8, at most `pieceBytes`. */
export const read = method(
  'blobs.read',
  z.object({ hash: hashSchema, offset: z.int().min(0) }),
  z.object({ bytes: z.int().min(0) }),
)
/**
 * Puts the tensor behind what was put of this blob so far, if it begins there; the last piece is verified against the hash. Answers how many bytes are there
 * now: go on from there. An empty tensor asks that beforehand, and whether there is room for the rest.
 */
export const write = method(
  'blobs.write',
  z.object({ hash: hashSchema, offset: z.int().min(0), bytes: z.int().min(0), keepFor: z.string().max(100) }),
  z.object({ there: z.int().min(0) }),
)
/** Whom blobs are kept for is over: they may be dropped when room is needed. */
export const release = method('blobs.release', z.object({ keepFor: z.string().max(100) }), nothing)
