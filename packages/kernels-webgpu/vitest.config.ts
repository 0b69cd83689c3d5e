// Tested as every package is, on a GPU in software where there is no other.
import { offerSoftwareGpu } from '../../tools/softwareGpu.ts'

offerSoftwareGpu()

export { default } from '../../vitest.shared.ts'
