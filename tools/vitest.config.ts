// The tools are tested where they stand: they have no src folder. What tests a page runs in pages alone.
import { configDefaults, defineProject, mergeConfig } from 'vitest/config'
import shared from '../vitest.shared.ts'
import { offerSoftwareGpu } from './softwareGpu.ts'

offerSoftwareGpu()

const exclude = [...configDefaults.exclude, 'platforms/src/page.test.ts']

export default mergeConfig(
  shared,
  defineProject({ test: { name: 'tools', include: ['**/*.test.ts'], exclude } }),
)
