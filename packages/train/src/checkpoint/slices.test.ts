import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PartStrategy, Variable } from '@shoal/core'
import {
  embeddingLookup,
  mean,
  ndarray,
  partitionedVariable,
  Session,
  square,
  sub,
  variable,
} from '@shoal/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MovingAverages } from '../averages.ts'
import { adam } from '../optimizers/adam.ts'
import { allVariables } from '../variables.ts'
import { Checkpoints } from './checkpoints.ts'
import { joinSlices } from './slices.ts'

const rows = Array.from({ length: 10 }, (_, i) => [Math.sin(i), Math.cos(i)])
const ids = [3, 9, 3, 0, 4, 7]

let directory = ''
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slices-'))
})
afterAll(() => rm(directory, { recursive: true }))

/** A table, whole or in parts, its training step, and all that a checkpoint holds of it. */
function model(cut?: { readonly parts: number; readonly strategy: PartStrategy }) {
  const table = cut
    ? partitionedVariable(rows, { name: 'table', ...cut })
    : variable(ndarray(rows), { name: 'table' })
  const loss = mean(square(sub(embeddingLookup(table, ids), 0.25)))
  const step = adam({ learningRate: 0.1 }).minimize(loss)
  const parts: readonly Variable[] = cut && 'parts' in table ? table.parts : [table as Variable]
  const averages = new MovingAverages({ decay: 0.5 })
  const average = averages.apply(parts)
  return { table, step, average, saved: allVariables(step, average) }
}

const names = ['adam/step', 'table', 'table/adam/means', 'table/adam/squares', 'table/average']

describe('partitioned variables in checkpoints', () => {
  it('stand there whole with all that is kept for them, and are restored in other parts', async () => {
    const cuts = [
      undefined,
      { parts: 3, strategy: 'div' },
      { parts: 4, strategy: 'mod' },
      { parts: 10, strategy: 'div' },
    ] as const
    // Each goes on from where the one before it has stopped; one machine makes all steps.
    const checkpoints = new Checkpoints(directory)
    await using alone = new Session()
    const whole = model()
    await alone.initialize(...whole.saved)
    for (const [turn, cut] of cuts.entries()) {
      await using session = new Session()
      const { step, average, saved, table } = model(cut)
      await session.initialize(...saved)
      if (turn > 0) await checkpoints.restore(session, saved)
      for (const [runner, steps] of [
        [session, [step, average]],
        [alone, [whole.step, whole.average]],
      ] as const)
        for (let k = 0; k < 3; k++) for (const one of steps) await runner.run(one)
      await checkpoints.save(session, saved, { step: turn })
      const [found, expected] = [await session.run(table.read()), await alone.run(whole.table.read())]
      expect(found.toArray()).toEqual(expected.toArray())
      expect(found.toArray()).not.toEqual(rows)
      const values = await session.run(saved)
      const joined = joinSlices(saved, values)
      expect([...joined.keys()].sort()).toEqual(names)
      const others = joinSlices(whole.saved, await alone.run(whole.saved))
      for (const [name, value] of joined) expect(value.toArray()).toEqual(others.get(name)!.toArray())
    }
  })

  it('are not saved without some of their parts, and not restored from another shape', async () => {
    const checkpoints = new Checkpoints(join(directory, 'other'))
    await using session = new Session()
    const { parts } = partitionedVariable(rows, { name: 'table', parts: 3 })
    await session.initialize(...parts)
    await expect(checkpoints.save(session, parts.slice(1), { step: 1 })).rejects.toThrow(
      "of 'table' 6 of 10 rows",
    )
    await checkpoints.save(session, parts, { step: 1 })
    const longer = partitionedVariable([...rows, [0, 0]], { name: 'table', parts: 2 })
    await session.run(parts[0]!.assign(rows.slice(4, 8)))
    await using other = new Session()
    await expect(checkpoints.restore(other, longer.parts)).rejects.toThrow(
      "'table' is float32[10, 2], the variable float32[11, 2]",
    )
    // Some parts alone can be restored: those of a server that was lost.
    await checkpoints.restore(session, parts.slice(0, 1))
    expect((await session.run(parts[0]!)).toArray()).toEqual(ndarray(rows.slice(0, 4)).toArray())
  })
})
