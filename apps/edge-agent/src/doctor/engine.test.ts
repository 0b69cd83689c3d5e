import { describe, expect, it } from 'vitest'
import { confinedArguments } from '../task/command.ts'
import { examineEngine } from './engine.ts'

describe('the examination of Node', () => {
  it('has a program try what it must not, and finds that it cannot', async () => {
    expect(await examineEngine()).toEqual([
      expect.objectContaining({
        subject: 'node',
        verdict: 'good',
        what: expect.stringContaining(process.versions.node),
      }),
    ])
  })

  it('names what a program can do that is less confined', async () => {
    const [finding] = await examineEngine((...how) => [
      '--allow-net',
      '--allow-child-process',
      ...confinedArguments(...how).filter((argument) => argument !== '--no-experimental-sqlite'),
    ])
    expect(finding).toMatchObject({
      verdict: 'fault',
      what: expect.stringMatching(/can start processes, open databases, use the network$/) as string,
      remedy: expect.stringContaining('install Node 26'),
    })
  })

  it('says so where no program runs at all', async () => {
    const [finding] = await examineEngine(() => ['--no-such-flag'])
    expect(finding).toMatchObject({ verdict: 'fault', what: expect.stringContaining('no-such-flag') })
  })
})
