// .npz, NumPy's file of several named arrays: a zip archive of .npy files.
import type { NDArray } from '@shoal/core'
import { zipSync } from 'fflate'
import { reading } from '../byteReader.ts'
import { DataError } from '../errors.ts'
import type { ByteSource, ReadOptions } from '../source.ts'
import { defaultMaxBytes, nameOf } from '../source.ts'
import { readNpy, writeNpy } from './npy.ts'
import { readZip } from './zip.ts'

/** Reads an .npz file, packed or not, as arrays by name. @throws DataError when it or an array in it is corrupt or too large. */
export async function readNpz(
  source: ByteSource,
  options: ReadOptions = {},
): Promise<Record<string, NDArray>> {
  const { compression, maxBytes = defaultMaxBytes } = options
  const archive = await reading(source, compression, (reader) => reader.readAll(maxBytes))
  const arrays: [string, NDArray][] = []
  for (const { name, bytes } of readZip(archive, maxBytes, nameOf(source))) {
    if (!name.endsWith('.npy')) throw new DataError(`'${name}' is not an .npy file`, { file: nameOf(source) })
    const member = { name: [nameOf(source), name].filter(Boolean).join('#'), open: async () => once(bytes) }
    arrays.push([name.slice(0, -'.npy'.length), await readNpy(member, { compression: 'none', maxBytes })])
  }
  return Object.fromEntries(arrays)
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes
}

/** The bytes of an .npz file; packed when `compress`. @throws DTypeError for a dtype that NumPy has not. */
export function writeNpz(
  arrays: Readonly<Record<string, NDArray>>,
  { compress = false }: { readonly compress?: boolean } = {},
): Uint8Array {
  const files = Object.fromEntries(
    Object.entries(arrays).map(([name, array]) => [`${name}.npy`, writeNpy(array)]),
  )
  // A fixed date, the first that zip knows: equal arrays make equal files.
  return zipSync(files, { level: compress ? 6 : 0, mtime: new Date(1980, 0, 1) })
}
