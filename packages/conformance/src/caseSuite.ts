// Some cases and nothing else: for ops of one's own, which no list of cases knows.
import type { Device } from '@shoal/core'
import { afterAll, beforeAll, describe, it } from 'vitest'
import type { OpCase } from './case.ts'
import { caseName, dtypesFor } from './case.ts'
import { checkOnDevice } from './caseChecks.ts'
import { definitionSuite } from './definitionSuite.ts'

/**
 * Registers all that `definitionSuite` asks of the cases, and each of their dtypes on each device that has it. A device must have the kernels
 * that the cases need.
 * @param devices opens devices, by names for the tests; each is opened once and disposed of at the end.
 */
export function caseSuite(
  cases: readonly OpCase[],
  devices: Readonly<Record<string, () => Device | Promise<Device>>>,
): void {
  definitionSuite(cases)
  describe.each(Object.entries(devices))('cases on %s', (_, open) => {
    let device: Device
    beforeAll(async () => {
      device = await open()
    })
    afterAll(() => device[Symbol.asyncDispose]())

    for (const opcase of cases)
      for (const dtype of dtypesFor(opcase))
        it(`${caseName(opcase)}, ${dtype}`, async ({ skip }) => {
          skip(!device.caps.dtypes.has(dtype), `the device has no ${dtype}`)
          await checkOnDevice(opcase, dtype, [device])
        })
  })
}
