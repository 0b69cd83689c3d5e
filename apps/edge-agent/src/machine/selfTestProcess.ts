// The process of the self-test: Shoal's own kernels on one core, a copy of memory, and a look for a GPU, each printed as a line of JSON once it is known.
import { constants, setPriority } from 'node:os'
import { matmul, mean, mul, PlacementError, randomNormal, Session, variable } from '@shoal/core'
import { cpu } from '@shoal/kernels-cpu'
import type { SelfTestLine } from './selfTest.ts'
import { namedDrivers } from './speedFile.ts'

/** Rows and columns of the matrices. */
const size = 256
const productsPerRound = 4
/** More than caches hold, and not too much for the smallest Raspberry Pi. */
const copiedBytes = 2 ** 25

/** Seconds of the fastest round: in the others another program had the processor. */
async function fastest(budgetMs: number, round: () => unknown): Promise<number> {
  let best = Infinity
  const start = performance.now()
  for (let rounds = 0; rounds < 2 || performance.now() - start < budgetMs; rounds++) {
    const before = performance.now()
    await round()
    best = Math.min(best, performance.now() - before)
  }
  return best / 1000
}

async function measureGflops(): Promise<number> {
  // Scaled so that numbers stay as large as they are, product after product.
  const factor = variable(mul(randomNormal([size, size]), 1 / Math.sqrt(size)))
  let product = matmul(variable(randomNormal([size, size])), factor)
  for (let i = 1; i < productsPerRound; i++) product = matmul(product, factor)
  const answer = mean(product)
  await using session = new Session({ devices: [cpu()], seed: 1 })
  await session.initialize(answer)
  await session.run(answer)
  const seconds = await fastest(300, () => session.run(answer))
  return (2 * size ** 3 * productsPerRound) / seconds / 1e9
}

async function measureGigabytesPerSecond(): Promise<number> {
  const from = new Uint8Array(copiedBytes).fill(1)
  const to = new Uint8Array(copiedBytes).fill(2)
  return copiedBytes / (await fastest(150, () => to.set(from))) / 1e9
}

/** The GPU that WebGPU takes by default. One that is this processor in disguise is no gain, but who names its driver wants it. */
async function findAdapters(): Promise<readonly string[]> {
  try {
    const { webgpu } = await import('@shoal/kernels-webgpu')
    await using device = await webgpu()
    const { vendor, architecture, description, isFallbackAdapter } = device.adapterInfo
    if (isFallbackAdapter && !namedDrivers(process.env)) return []
    return [(description || `${vendor} ${architecture}`.trim() || 'unnamed adapter').slice(0, 200)]
  } catch (error) {
    // There is none, or no package to reach it: nothing is wrong with that.
    if (error instanceof PlacementError) return []
    throw error
  }
}

const print = (line: SelfTestLine): void => console.log(JSON.stringify(line))

setPriority(constants.priority.PRIORITY_LOW)
print({ speed: { gflops: await measureGflops(), gigabytesPerSecond: await measureGigabytesPerSecond() } })
print({ adapters: [...(await findAdapters())] })
