import { expect, it } from 'vitest'
import { stat, TemporaryFolder } from '../testing/machineTrees.ts'
import { Load, readProcessorTime } from './load.ts'
import { SystemFiles } from './systemFiles.ts'

it('counts waiting for disks as idle, and what another machine took as busy', () => {
  // As a virtual machine under load tells it; guests are in user time already.
  using folder = new TemporaryFolder({
    'proc/stat': 'cpu  5922561 177586 911020 4161179 9600 7 31624 5853 999 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n',
  })
  expect(readProcessorTime(new SystemFiles(folder.path))).toEqual({
    busy: 5922561 + 177586 + 911020 + 7 + 31624 + 5853,
    all: 5922561 + 177586 + 911020 + 7 + 31624 + 5853 + 4161179 + 9600,
  })
})

it('asks Node where there is no such file', () => {
  const { busy, all } = readProcessorTime(new SystemFiles('/nowhere'))
  expect(busy).toBeGreaterThan(0)
  expect(all).toBeGreaterThan(busy)
})

it('is the part that was busy over the last looks, and forgets what was before', () => {
  const load = new Load({ busy: 500, all: 1000 }, 2)
  expect(load.value).toBe(0)
  load.add({ busy: 600, all: 1100 })
  expect(load.value).toBe(1)
  load.add({ busy: 600, all: 1200 })
  expect(load.value).toBe(0.5)
  load.add({ busy: 620, all: 1300 })
  expect(load.value).toBe(0.1)
})

it('stays what it was while counters stand still, and between 0 and 1 when they go back', () => {
  const load = new Load({ busy: 0, all: 0 }, 1)
  load.add({ busy: 30, all: 100 })
  load.add({ busy: 30, all: 100 })
  expect(load.value).toBe(0.3)
  load.add({ busy: 20, all: 110 })
  expect(load.value).toBe(0)
  load.add({ busy: 40, all: 120 })
  expect(load.value).toBe(1)
})

it('reads what the trees of other tests say', () => {
  using folder = new TemporaryFolder({ 'proc/stat': stat(300, 700) })
  expect(readProcessorTime(new SystemFiles(folder.path))).toEqual({ busy: 300, all: 1000 })
})
