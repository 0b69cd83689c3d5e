import { describe, expect, it } from 'vitest'
import { gpuSideOf } from './side.ts'

describe('a side on a GPU', () => {
  it('begins when the GPU is idle, and ends when it is through with the last run', async () => {
    const log: string[] = []
    const side = gpuSideOf(
      { run: () => log.push('run'), result: async () => Float32Array.of(1) },
      async () => void log.push('done'),
    )
    await side.sample(3)
    expect(log).toEqual(['done', 'run', 'run', 'run', 'done'])
  })

  it('waits for a run that waits, as it does for what is read', async () => {
    const log: string[] = []
    const run = async (): Promise<void> => {
      log.push('sent')
      await Promise.resolve()
      log.push('read')
    }
    const side = gpuSideOf({ run, result: async () => Float32Array.of(1) }, async () => undefined)
    await side.sample(2)
    expect(log).toEqual(['sent', 'read', 'sent', 'read'])
  })
})
