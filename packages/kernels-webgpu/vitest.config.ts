// Tested as every package is, on a GPU in software where there is no other.
import { mergeConfig } from 'vitest/config'
import { offerSoftwareGpu } from '../../tools/softwareGpu.ts'
import shared from '../../vitest.shared.ts'

offerSoftwareGpu()

// Drivers have threads of their own, which may outlive a thread of Node but not a process.
export default mergeConfig(shared, { test: { pool: 'forks' } })
