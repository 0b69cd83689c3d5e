// The data that come with the repository, read the same way by every example.
import type { ByteFile } from '@shoal/data'
import { file } from '@shoal/data/node'

/** A file of the folder `datasets`. */
export const dataset = (name: string): ByteFile => file(new URL(`../../../datasets/${name}`, import.meta.url))
