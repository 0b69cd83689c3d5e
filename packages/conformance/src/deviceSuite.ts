// One suite for every device: the contract, Shoal's own cases, PyTorch's values, random kernels and random graphs.
import type { Device, DType } from '@shoal/core'
import { reference } from '@shoal/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { OpCase } from './case.ts'
import { caseName, dtypesFor } from './case.ts'
import { checkOnDevice, dtypesOf } from './caseChecks.ts'
import { allCases } from './cases/index.ts'
import { deviceContract } from './deviceContract.ts'
import { checkRandomGraph } from './fuzz/checkGraph.ts'
import { checkRandomKernel } from './fuzz/checkKernel.ts'
import { type Extent, extent, sampled } from './extent.ts'
import { watch } from './holdings.ts'
import { torchSuite } from './torch/suite.ts'
import { buildTrial } from './trial.ts'

/** What a device says of itself before it is opened; the suite holds it to that. */
export interface Claims {
  /** Exactly `caps.dtypes`. Cases that need another dtype are left out, and listed. */
  readonly dtypes: readonly DType[]
  /**
   * Ops with hand-written kernels that it leaves to other devices: cases that need one run on this device and on one that has those kernels
   * and no others, which placing must find. Default none.
   */
  readonly missing?: readonly string[]
  /** Which half of the cases a second form of a device runs where the first one runs all. Default: all. */
  readonly share?: 'evens' | 'odds'
  /** How many random kernels it computes, a multiple of 100: fewer where each takes a driver's compiler long. Default 300. */
  readonly randomKernels?: number
  /** Default: all of Shoal's. */
  readonly cases?: readonly OpCase[]
}

interface Planned {
  readonly opcase: OpCase
  readonly dtype: DType
}
const title = ({ opcase, dtype }: Planned): string => `${caseName(opcase)}, ${dtype}`

/** Which part of the random kernels an extent holds, and how many random graphs there are. */
const [all, part] = [
  { part: 1, graphs: 24 },
  { part: 1 / 4, graphs: 6 },
]
const random = { whole: all, evens: part, odds: part }

/**
 * Registers all that a device must satisfy.
 * @param makeDevice opens a device; the suite opens one and disposes of it at the end.
 */
export function deviceSuite(
  name: string,
  makeDevice: () => Device | Promise<Device>,
  capabilities: Claims,
): void {
  const { dtypes, missing = [], randomKernels = 300, cases = allCases, share = 'whole' } = capabilities
  const some = extent() === 'whole' ? share : extent()
  describe(`device ${name}`, () => {
    const { part, graphs } = random[some]
    const kernels = part * randomKernels
    let device: Device
    beforeAll(async () => {
      device = await makeDevice()
    })
    afterAll(() => device[Symbol.asyncDispose]())

    const team = (): Device[] => (missing.length === 0 ? [device] : [device, standIn(missing, dtypes)])

    deviceContract(() => device, dtypes)
    ownCases(team, plan(cases, some), new Set(dtypes))
    torchSuite(team, dtypes)
    describe('random kernels', () => {
      it.each(batches(kernels, 25))('%i to %i are computed as the interpreter does', async (first, last) => {
        const watched = watch(device)
        for (let seed = first; seed <= last; seed++) await checkRandomKernel(watched.device, seed, dtypes)
        expect(watched.held()).toBe(0)
      })
    })
    describe('random graphs', () => {
      it.each(batches(graphs, 6))(
        '%i to %i are computed as the reference does op by op',
        async (first, last) => {
          for (let seed = first; seed <= last; seed++) {
            const watched = watch(device)
            await checkRandomGraph([watched.device, ...team().slice(1)], seed)
            expect(watched.held()).toBe(0)
          }
        },
      )
    })
  })
}

/** The first and the last seed of each of the tests that `count` seeds are spread over. */
const batches = (count: number, size: number): (readonly [number, number])[] =>
  Array.from({ length: count / size }, (_, i) => [i * size, (i + 1) * size - 1] as const)

const plan = (cases: readonly OpCase[], some: Extent): readonly Planned[] =>
  cases.flatMap((opcase, i) => {
    const planned = sampled(i, dtypesFor(opcase), some)
    return planned.map((dtype) => ({ opcase, dtype }))
  })

/** A reference device with kernels of the ops that another leaves out, and with all for dtypes that it has not. */
function standIn(missing: readonly string[], dtypes: readonly DType[]): Device {
  const device = reference()
  const supports = device.supports.bind(device)
  device.supports = (op, signature) => {
    const foreign = [...signature.inputs, ...signature.outputs].some(({ dtype }) => !dtypes.includes(dtype))
    return (foreign || missing.includes(op)) && supports(op, signature)
  }
  return device
}

function ownCases(team: () => Device[], planned: readonly Planned[], dtypes: ReadonlySet<DType>): void {
  const lackingOf = (one: Planned): DType | undefined => {
    try {
      return [...dtypesOf(buildTrial(one.opcase, one.dtype))].find((d) => !dtypes.has(d))
    } catch {
      // A case that cannot be built fails in its own test.
      return undefined
    }
  }
  describe('cases', () => {
    const leftOut: string[] = []
    for (const one of planned) {
      const lacking = lackingOf(one)
      if (lacking) leftOut.push(`${title(one)}: has no ${lacking}`)
      else it(title(one), () => checkOnDevice(one.opcase, one.dtype, team()))
    }
    // Left out is only what the claims exclude, and the claims are what the contract checks.
    it(`leaves out ${leftOut.length} of ${planned.length}${leftOut.map((line) => `\n  ${line}`).join('')}`, () => {
      const [{ caps }] = team() as [Device]
      const excusable = planned.filter((one) => {
        const needed = lackingOf(one)
        return needed !== undefined && !caps.dtypes.has(needed)
      })
      expect(leftOut.length).toBe(excusable.length)
    })
  })
}
