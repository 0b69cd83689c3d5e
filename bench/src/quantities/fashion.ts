// Fashion-MNIST, trained in processes of their own: seconds per epoch with the input pipeline, resident memory, accuracy.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findPython } from '../contenders/torch.ts'
import { peersFolder } from '../peers.ts'
import type { Quantity } from '../quantity.ts'
import { exactly } from '../quantity.ts'
import type { Quartiles } from '../statistics.ts'
import { quartiles } from '../statistics.ts'
import { Bundles } from './bundle.ts'

/** Where Debian's package dataset-fashion-mnist puts it. */
const folder = process.env['FASHION_MNIST'] ?? '/usr/share/datasets/fashion-mnist'
const epochs = 5
const epochsOfPeers = 1

interface Told {
  readonly seconds: readonly number[]
  readonly megabytes: number
  readonly accuracy: number
}

/** Trains where the data is installed; nothing elsewhere. */
export async function fashionMnist(): Promise<Quantity[]> {
  if (!existsSync(folder)) {
    console.log(`Fashion-MNIST is left out: ${folder} is not there (FASHION_MNIST may name the folder)`)
    return []
  }
  using bundles = new Bundles()
  const run = async (command: string, ...args: readonly string[]): Promise<Told> => {
    const { stdout } = await promisify(execFile)(command, args, {
      env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' },
    })
    return JSON.parse(stdout) as Told
  }
  const peer = (name: string): string => fileURLToPath(new URL(name, peersFolder))
  const ours = await run(
    process.execPath,
    await bundles.add(new URL('../programs/fashion.ts', import.meta.url)),
    folder,
    `${epochs}`,
  )
  const peers = new Map([
    ['jax-js', await run(process.execPath, peer('fashion-jax.mjs'), folder, `${epochsOfPeers}`)],
  ])
  const python = findPython()
  if (python) peers.set('pytorch', await run(python, peer('fashion_torch.py'), folder, `${epochsOfPeers}`))
  const beside = (read: (told: Told) => Quartiles): Map<string, Quartiles> =>
    new Map([...peers].map(([name, told]) => [name, read(told)]))
  return [
    {
      name: 'Fashion-MNIST epoch',
      title: 'an epoch of Fashion-MNIST, MLP, batch 128',
      unit: 's',
      value: quartiles(ours.seconds),
      peers: beside(({ seconds }) => quartiles(seconds)),
    },
    {
      name: 'Fashion-MNIST memory',
      title: 'resident memory after it',
      unit: 'MB',
      value: exactly(ours.megabytes),
      peers: beside(({ megabytes }) => exactly(megabytes)),
    },
    {
      name: 'Fashion-MNIST accuracy',
      title: `accuracy after ${epochs} epochs, of the others after ${epochsOfPeers}`,
      unit: '',
      value: exactly(ours.accuracy),
      peers: beside(({ accuracy }) => exactly(accuracy)),
    },
  ]
}
