// The tools are tested where they stand: they have no src folder.
import { defineProject, mergeConfig } from 'vitest/config'
import shared from '../vitest.shared.ts'

export default mergeConfig(shared, defineProject({ test: { name: 'tools', include: ['**/*.test.ts'] } }))
