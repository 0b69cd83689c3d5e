// Strings to small numbers without a vocabulary.
import { AttrError } from '../../errors.ts'
import { attr } from '../../op.ts'
import { fnv1a64 } from './hash.ts'
import { stringOp } from './stringOp.ts'

/** The bucket of each string, int64 in [0, buckets): its 64-bit FNV-1a hash modulo `buckets`. The same everywhere and always; not proof against an adversary. */
export const stringToHashBucket = stringOp({
  name: 'StringToHashBucket',
  doc: 'The bucket of each string, int64 in [0, buckets): its 64-bit FNV-1a hash modulo the number of buckets.',
  attrs: { buckets: attr.int('how many buckets') },
  result: 'int64',
  check: ({ buckets }) => {
    if (buckets < 1) throw new AttrError(`${buckets} buckets: there must be one at least`)
  },
  each:
    ({ buckets }) =>
    (text) =>
      fnv1a64(text as string) % BigInt(buckets),
})
