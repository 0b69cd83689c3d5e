// Tests of your own, resolved to the sources of the packages; no part of the tests of the repository.
import { defineProject, mergeConfig } from 'vitest/config'
import shared from '../vitest.shared.ts'

export default mergeConfig(shared, defineProject({ test: { name: 'playground', include: ['**/*.test.ts'] } }))
