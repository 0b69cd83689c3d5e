// What is made of what the others say: of the port, of who is missing, and of the agent itself.
import { describe, expect, it } from 'vitest'
import { examineNeighbours } from './neighbours.ts'
import { examinePort } from './port.ts'
import { examineProcess } from './process.ts'
import { neighbour, node, patient, report } from './testing/patients.ts'
import type { Finding } from './finding.ts'

const words = (found: readonly Finding[]) => found.map(({ verdict, what }) => `${verdict}: ${what}`)
const self = node('pi1', { state: 'self', addresses: [] })
const late = { address: '10.0.0.1:7070', problem: 'timed out' }

describe('the examination of the port', () => {
  const says = async (...changes: Parameters<typeof report>) =>
    words(await examinePort(patient({ report: report(...changes) })))

  it('is content where others get in', async () => {
    expect(await says()).toEqual(["good: others get in at port 7070: 'pi2'"])
  })

  it('blames this machine where nobody gets in, and the way where some do', async () => {
    const out = neighbour('pi2', { tried: [late, { ...late, address: '10.1.0.1:7070' }] })
    expect(await says({ neighbours: [out] })).toEqual([
      "fault: no other node gets in at port 7070 of this machine. 'pi2' tried 10.0.0.1:7070: timed out, 10.1.0.1:7070: timed out",
    ])
    expect(await says({ neighbours: [out, neighbour('pi3')] })).toEqual([
      expect.stringMatching(
        /^fault: 'pi2' does not get in at port 7070 of this machine, and others do\. 'pi2' tried/,
      ),
    ])
  })

  it('is content with one of several addresses', async () => {
    expect(
      await says({ neighbours: [neighbour('pi2', { tried: [late, { address: 'b:7070', problem: '' }] })] }),
    ).toEqual(["good: others get in at port 7070: 'pi2'"])
  })

  it('finds that it cannot even be reached from here', async () => {
    const nodes = [{ ...self, addresses: ['127.0.0.1:1'] }, node('pi2')]
    expect(await says({ nodes })).toEqual([
      expect.stringMatching(/^fault: this machine itself does not get in at 127\.0\.0\.1:1: refused/),
    ])
  })

  it('knows nothing without others, or without an agent', async () => {
    expect((await says({ neighbours: [] }))[0]).toMatch(/^unknown: no other node is connected/)
    const { status } = report()
    const here = { status: { ...status, address: '127.0.0.1:7070' }, neighbours: [] }
    expect((await says(here))[0]).toMatch(/^unknown: .* no other machine gets in/)
    expect(words(await examinePort(patient({ report: undefined })))[0]).toMatch(/^unknown: no agent answers/)
  })
})

describe('the examination of the neighbours', () => {
  const says = (...changes: Parameters<typeof report>) =>
    words(examineNeighbours(patient({ report: report(...changes) })))

  it('names who is there, who is missing, and who is of another cluster', () => {
    const others = [
      node('pi3', { state: 'lost', problem: 'timed out' }),
      node('pi4', { state: 'seen', problem: 'refused' }),
      node('pi5', { state: 'reachable', problem: 'it speaks version 2' }),
      node('pi6', { clusterId: 'f'.repeat(64) }),
      node('', { state: 'seen', addresses: ['10.0.0.9:7070'], clusterId: '', problem: 'no route' }),
    ]
    expect(says({ nodes: [self, node('pi2'), ...others] })).toEqual([
      "good: 'pi2' is connected",
      "fault: 'pi3' is of this cluster and not connected: timed out",
      "fault: 'pi4' was heard of, and is not reached: refused",
      "fault: 'pi5' cannot be worked with: it speaks version 2",
      'fault: the node at 10.0.0.9:7070 was heard of, and is not reached: no route',
      "unknown: of another cluster: 'pi6'",
    ])
  })

  it('finds one that is connected and silent', () => {
    expect(
      says({ neighbours: [neighbour('pi2', { problem: 'not done within 5000 ms', tried: [] })] }),
    ).toEqual(["fault: 'pi2' is connected and does not answer: not done within 5000 ms"])
  })

  it('asks those of old where no agent runs', () => {
    const knocks = [
      { address: 'a:1', answer: { nodeId: 'pi2', aheadMs: 0, refused: '' }, problem: '', isUntimely: false },
      { address: 'b:1', answer: undefined, problem: 'timed out', isUntimely: false },
    ]
    expect(words(examineNeighbours(patient({ report: undefined, knocks })))).toEqual([
      "good: 'pi2' answers at a:1",
      'fault: nobody of the cluster answers at b:1: timed out',
    ])
  })
})

describe('the examination of the agent', () => {
  const says = (...changes: Parameters<typeof patient>) => words(examineProcess(patient(...changes)))[0]
  const silent = { report: undefined, silence: 'timed out' }
  const running = { pid: 77, began: '', address: '[::]:7070', version: '0.1.0' }

  it('tells how it does', () => {
    expect(says()).toBe('good: it runs as process 77 at [::]:7070 for 3 hours, with 64 MiB')
  })

  it('tells silence, waiting, death and rest apart', () => {
    expect(says({ ...silent, running })).toMatch(
      /^fault: it runs as process 77, and does not answer at .*: timed out/,
    )
    expect(says({ ...silent, holder: running })).toMatch(
      /^fault: process 77 has the state folder and does not listen/,
    )
    expect(says({ ...silent, wasAnnounced: true })).toMatch(/^fault: it has ended without a word/)
    expect(says(silent)).toMatch(/^unknown: no agent runs/)
  })
})
