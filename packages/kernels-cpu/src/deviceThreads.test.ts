// The cpu device with threads that take part from the first launch on.
import { deviceSuite } from '@shoal/conformance/suites'
import { type Device, fixedSize } from '@shoal/core'
import { cpu } from './cpu.ts'

deviceSuite('cpu, 4 threads', () => withThreads(4), { dtypes: fixedSize, share: 'odds' })

/** A device that runs nothing before all of its threads have the code. */
function withThreads(threads: number): Device {
  const device = cpu({ threads })
  const sequence = device.sequence!.bind(device)
  return Object.assign(device, {
    sequence: async (launches: Parameters<typeof sequence>[0]) => {
      const step = await sequence(launches)
      await device.ready()
      return step
    },
  })
}
