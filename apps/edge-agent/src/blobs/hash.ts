// The name of a blob is the SHA-256 of its bytes, so that whoever has it can tell whether it is the one that was asked for.
import { createHash } from 'node:crypto'
import { z } from 'zod'

/** 64 hexadecimal digits. */
export const hashSchema = z.string().regex(/^[0-9a-f]{64}$/)

/** The SHA-256 of some bytes, 64 hexadecimal digits. */
export const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
