// What starting costs: from a new process to its first result, over a process that does nothing.
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { peersFolder } from '../peers.ts'
import type { Quantity } from '../quantity.ts'
import type { Quartiles } from '../statistics.ts'
import { quartiles } from '../statistics.ts'
import { Bundles } from './bundle.ts'

const rounds = 15

/** Bundled Shoal and jax-js; the others as they are installed, with files that do not bundle. */
export async function coldStart(): Promise<Quantity[]> {
  using bundles = new Bundles()
  const peer = (name: string): URL => new URL(`first-${name}.mjs`, peersFolder)
  const programs = new Map([
    ['empty', join(tmpdir(), `shoal-bench-empty-${process.pid}.mjs`)],
    ['shoal', await bundles.add(new URL('../programs/first.ts', import.meta.url))],
    ['jax-js', await bundles.add(peer('jax'))],
    ['tfjs-wasm', fileURLToPath(peer('tfjs'))],
    ['onnxruntime-node', fileURLToPath(peer('onnxruntime'))],
  ])
  writeFileSync(programs.get('empty')!, 'console.log(1)')
  const samples = new Map<string, number[]>([...programs.keys()].map((name) => [name, []]))
  for (let round = 0; round < rounds; round++)
    for (const [name, file] of programs) samples.get(name)!.push(await firstOutput(file))
  const over = (name: string): Quartiles =>
    quartiles(samples.get(name)!.map((ms, round) => ms - samples.get('empty')![round]!))
  return [
    {
      name: 'cold start',
      title: 'cold start to the first result, over an empty Node',
      unit: 'ms',
      value: over('shoal'),
      peers: new Map(['jax-js', 'tfjs-wasm', 'onnxruntime-node'].map((name) => [name, over(name)])),
    },
  ]
}

/** Milliseconds from starting a program to what it first prints. @throws Error when it prints nothing. */
function firstOutput(file: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = performance.now()
    const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] })
    let errors = ''
    child.stderr.on('data', (text) => (errors += String(text)))
    let first: number | undefined
    child.stdout.once('data', () => (first = performance.now() - start))
    child.once('error', reject)
    child.once('close', () =>
      first === undefined ? reject(new Error(`${file} printed nothing: ${errors}`)) : resolve(first),
    )
  })
}
