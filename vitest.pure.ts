// For packages whose modules remember nothing from one test to the next: files share a worker, and load what they import once.
import { defineProject, mergeConfig } from 'vitest/config'
import shared from './vitest.shared.ts'

export default mergeConfig(shared, defineProject({ test: { isolate: false } }))
