import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { placeholder, Session, variable } from '@shoal/core'
import { Dataset, readTFRecords } from '@shoal/data'
import { file } from '@shoal/data/node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { train } from '../train.ts'
import { EventFile, summaries } from './eventFile.ts'

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'events-'))
})
afterEach(() => rm(directory, { recursive: true }))

const hex = async (path: string): Promise<string[]> =>
  (await readTFRecords(file(path)).toArray()).map((record) => Buffer.from(record).toString('hex'))

describe('event files', () => {
  it('hold messages as their format says', async () => {
    const events = await EventFile.create(join(directory, 'run'), { suffix: 'x', now: () => 1.5 })
    expect(basename(events.path)).toMatch(/^events\.out\.tfevents\.0000000001\..+\.x$/)
    await events.scalars(300, { a: 0.5, bc: -2 })
    await events.close()
    const time = '09000000000000f83f'
    expect(await hex(events.path)).toEqual([
      `${time}10001a0d${Buffer.from('brain.Event:2').toString('hex')}`,
      // Step 300 is the varint ac 02; 0.5 is 3f000000, -2 is c0000000, both little-endian.
      `${time}10ac022a15` + '0a080a0161150000003f' + '0a090a026263' + '15000000c0',
    ])
  })

  it('take calls that are not awaited, in their order', async () => {
    const events = await EventFile.create(directory)
    for (let step = 1; step <= 20; step++) void events.scalars(step, { x: step })
    await events.close()
    const records = await hex(events.path)
    expect(records.slice(1).map((record) => Number.parseInt(record.slice(20, 22), 16))).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1),
    )
  })

  it('are written while training', async () => {
    await using session = new Session()
    const x = placeholder({ shape: [], name: 'x' })
    const step = variable(0, { name: 'n' }).assignAdd(1).node
    await session.initialize(step)
    const events = await EventFile.create(directory)
    const hooks = [summaries(events, { everySteps: 2 })]
    await train({
      session,
      step,
      fetches: { x },
      data: Dataset.from([1, 2, 3]),
      feed: (value) => ({ x: value }),
      epochs: 1,
      hooks,
    })
    await events.close()
    const records = await hex(events.path)
    expect(records).toHaveLength(3)
    expect(records[1]).toContain(Buffer.from('step/x').toString('hex'))
    expect(records[2]).toContain(Buffer.from('epoch/x').toString('hex'))
  })
})
