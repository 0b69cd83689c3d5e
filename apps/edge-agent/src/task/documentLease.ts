// The office of chief of a job as a document: whoever wrote it last has it.
import type { Lease, LeaseHolder } from '@shoal/distributed'
import type { Json } from '../jobs/json.ts'
import type { Documents } from './documents.ts'

/** The document that says who is chief. */
export const chiefKey = 'chief'

/** A lease for all tasks of a job. */
export class DocumentLease implements Lease {
  readonly #documents: Documents

  constructor(documents: Documents) {
    this.#documents = documents
  }

  /** @see Lease.claim */
  claim(holder: string): Promise<number> {
    return this.#documents.change(chiefKey, (value) => {
      const epoch = holderIn(value).epoch + 1
      return { value: { epoch, holder }, result: epoch }
    })
  }

  /** @see Lease.newest */
  async newest(): Promise<LeaseHolder> {
    return holderIn(await this.#documents.read(chiefKey))
  }
}

const holderIn = (value: Json | undefined): LeaseHolder =>
  (value ?? { epoch: 0, holder: '' }) as unknown as LeaseHolder
