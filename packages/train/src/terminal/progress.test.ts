import { Writable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { placeholder, Session, variable } from '@shoal/core'
import { Dataset } from '@shoal/data'
import { describe, expect, it } from 'vitest'
import { stopAtStep } from '../hooks/stopAtStep.ts'
import { train } from '../train.ts'
import { progress } from './progress.ts'

/** What a stream was written, while each look at the clock takes half a second. */
async function shown(isTTY: boolean, data: Dataset<number>): Promise<string> {
  let text = ''
  const stream = Object.assign(
    new Writable({
      write(chunk, _, done) {
        text += String(chunk)
        done()
      },
    }),
    { isTTY, columns: 100, rows: 24 },
  ) as unknown as NodeJS.WriteStream
  let time = 0
  const now = (): number => (time += 500)
  await using session = new Session()
  const x = placeholder({ shape: [], name: 'x' })
  const step = variable(0, { name: 'n' }).assignAdd(1).node
  await session.initialize(step)
  const hooks = [progress({ stream, now }), stopAtStep(6)]
  await train({ session, step, fetches: { x }, data, feed: (value) => ({ x: value }), epochs: 3, hooks })
  return text
}
const four = Dataset.from([1, 2, 3, 4.5])

describe('progress', () => {
  it('is plain lines where it is no terminal', async () => {
    const lines = (await shown(false, four)).split('\n')
    expect(lines).toEqual([
      'epoch 1/3  step 4  x 2.625  0.5 s',
      'epoch 2/3 (partial: batches 1 to 2 of 4)  step 6  x 1.500  0.5 s',
      'stopped: 6 steps are done',
      '',
    ])
  })

  it('is a bar on a terminal, and leaves the same lines', async () => {
    const plain = stripVTControlCharacters(await shown(true, four))
    expect(plain).toContain('epoch 1/3  █████░░░░░░░░░░░░░░░ 1/4  x 1  3.0 s left')
    expect(plain).toContain('██████████░░░░░░░░░░ 2/4')
    expect(plain).toContain('epoch 2/3 (partial: batches 1 to 2 of 4)  step 6  x 1.500')
    expect(plain).toContain('stopped: 6 steps are done')
  })

  it('counts batches when nobody knows how many there are', async () => {
    const plain = stripVTControlCharacters(
      await shown(
        true,
        four.filter(() => true),
      ),
    )
    expect(plain).toContain('epoch 1/3  batch 2  x 2')
    expect(plain).not.toContain('left')
  })
})
