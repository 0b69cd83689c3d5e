// The tools are tested where they stand: they have no src folder. What is in platforms runs on those platforms alone.
import { configDefaults, defineProject, mergeConfig } from 'vitest/config'
import shared from '../vitest.shared.ts'

const exclude = [...configDefaults.exclude, 'platforms/**']

export default mergeConfig(
  shared,
  defineProject({ test: { name: 'tools', include: ['**/*.test.ts'], exclude } }),
)
