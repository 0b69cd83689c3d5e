// What a model says to inputs that stand in files of NumPy.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatType, type NDArray } from '@shoal/core'
import { readNpy, writeNpy } from '@shoal/data'
import { cpu } from '@shoal/kernels-cpu'
import { loadModel, predictor, type SavedModel } from '@shoal/train'
import { readPair } from '../config/text.ts'
import { measured } from '../drawing/quantities.ts'
import { MissingError, UsageError } from '../errors.ts'
import type { Invocation } from '../invocation.ts'

/** What a model says, of one of its outputs. */
export interface Answer {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
  readonly values: unknown
  /** Where it was written, if it was. */
  readonly file?: string
  /** For people. */
  readonly text: string
}

/** Asks a model. @throws ModelError for what is no model and for inputs that do not fit, MissingError, UsageError. */
export async function ask(
  invocation: Invocation,
  bytes: Uint8Array,
  { input, output }: { readonly input: readonly string[]; readonly output?: string },
): Promise<readonly Answer[]> {
  const model = loadModel(bytes)
  await using ready = await predictor(model, { devices: [cpu()] })
  const feeds = await Promise.all(input.map((typed) => readInput(invocation, model, typed)))
  const said = await ready.predict(Object.fromEntries(feeds))
  const folder = output === undefined ? undefined : invocation.path(output)
  if (folder !== undefined) await mkdir(folder, { recursive: true })
  return Promise.all(
    Object.entries(said).map(async ([name, value]) => {
      const file = folder === undefined ? undefined : join(folder, `${name.replaceAll('/', '.')}.npy`)
      if (file !== undefined) await writeFile(file, writeNpy(value))
      return {
        name,
        dtype: value.dtype,
        shape: value.shape,
        values: plain(value.toArray()),
        ...(file !== undefined && { file }),
        text: `${name} ${formatType(value)}  ${file ?? beginningOf(value)}`,
      }
    }),
  )
}

async function readInput(
  invocation: Invocation,
  { inputs }: SavedModel,
  typed: string,
): Promise<readonly [string, NDArray]> {
  const names = Object.keys(inputs)
  const isNamed = typed.includes('=')
  const [name, file] = isNamed ? readPair(typed, '--input x=x.npy') : [names[0] ?? '', typed]
  if (!isNamed && names.length > 1)
    throw new UsageError(
      `which input is ${file}?`,
      `the model takes ${names.join(', ')}: --input ${name}=${file}`,
    )
  const path = invocation.path(file)
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? new MissingError(`there is no ${path}`) : error
  })
  return [name, await readNpy(bytes)]
}

/** Nested arrays as JSON has them: 64-bit numbers as text. */
const plain = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(plain) : typeof value === 'bigint' ? String(value) : value

const shown = 10

function beginningOf(value: NDArray): string {
  const flat = value.reshape([value.size]).toArray() as readonly unknown[]
  const texts = flat.slice(0, shown).map((one) => (typeof one === 'number' ? measured(one) : String(one)))
  return `[${texts.join(', ')}${flat.length > shown ? ', …' : ''}]`
}
