import { expect, it } from 'vitest'
import { meminfo, TemporaryFolder } from '../testing/machineTrees.ts'
import { readMemory } from './memory.ts'
import { SystemFiles } from './systemFiles.ts'

const unlimited = { cores: 4, memoryBytes: Infinity, freeMemoryBytes: 7 }
const read = (allowance: Parameters<typeof readMemory>[1]) => {
  using folder = new TemporaryFolder({ 'proc/meminfo': meminfo(4_000_000, 3_000_000) })
  return readMemory(new SystemFiles(folder.path), allowance)
}

it('is the memory of the machine, caches counted as free', () => {
  expect(read(unlimited)).toEqual({ bytes: 4_096_000_000, freeBytes: 3_072_000_000 })
})

it('is no more than the control group allows', () => {
  const allowance = { cores: 4, memoryBytes: 1e9, freeMemoryBytes: 4e8 }
  expect(read(allowance)).toEqual({ bytes: 1e9, freeBytes: 4e8 })
  expect(read({ ...allowance, memoryBytes: 4e9, freeMemoryBytes: 3.9e9 })).toEqual({
    bytes: 4e9,
    freeBytes: 3_072_000_000,
  })
})

it('asks Node where there is no such file', () => {
  const { bytes, freeBytes } = readMemory(new SystemFiles('/nowhere'), unlimited)
  expect(freeBytes).toBeGreaterThan(0)
  expect(bytes).toBeGreaterThanOrEqual(freeBytes)
})
