// Where an agent listens when it is started again.
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../testing/temporaryFolder.ts'
import { runAgent } from './run.ts'

const folder = temporaryFolder()

/** Runs an agent until it listens. Answers its port, and what it said. */
async function listened(
  port?: number,
): Promise<{ readonly port: number; readonly lines: readonly string[] }> {
  const over = new AbortController()
  const lines: string[] = []
  let at = 0
  await runAgent({
    folder,
    host: '127.0.0.1',
    mdns: false,
    ...(port !== undefined && { port }),
    signal: over.signal,
    log: (line) => lines.push(line),
    listening({ address }) {
      at = Number(address.split(':')[1])
      over.abort()
    },
  })
  return { port: at, lines }
}

describe('runAgent', () => {
  it('listens where it did before, and elsewhere only where that port is taken', async () => {
    const { port } = await listened()
    expect(port).toBeGreaterThan(0)
    expect((await listened()).port).toBe(port)

    const other = createServer().listen(port, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    await expect(listened(port)).rejects.toThrow('EADDRINUSE')
    const moved = await listened()
    expect(moved.port).not.toBe(port)
    expect(moved.lines.join()).toContain(`port ${port} is taken by another program`)
    await new Promise((resolve) => other.close(resolve))

    expect((await listened()).port).toBe(moved.port)
  })
})
