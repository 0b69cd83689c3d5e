// What a node can still take.
import { describe, expect, it } from 'vitest'
import { offersOf } from './offer.ts'
import { gibibyte, job, type NodeTraits, node } from './testing/cluster.ts'

const need = (more: object = {}) => job({ tasks: { worker: { count: 1, need: more } } }).tasks['worker']!.need
const offer = (traits: NodeTraits, holdings: Parameters<typeof offersOf>[1] = []) =>
  offersOf([node('pi-1', traits)], holdings)[0]!

describe('an offer', () => {
  it('is all of a node where nothing runs', () => {
    const { room, idle } = offer({ gpus: 2 })
    expect(room).toEqual({ cores: 4, memoryBytes: 4 * gibibyte, adapters: 2 })
    expect(idle).toEqual(room)
  })

  it('is less by what tasks may take, of which nothing is taken yet', () => {
    const taken = need({ cores: 3, memoryBytes: gibibyte, devices: ['webgpu'] })
    const { room, idle } = offer({ gpus: 1, freeMemoryBytes: 3 * gibibyte }, [{ node: 'pi-1', need: taken }])
    expect(room).toEqual({ cores: 1, memoryBytes: 2 * gibibyte, adapters: 0 })
    expect(idle).toEqual({ cores: 4, memoryBytes: 4 * gibibyte, adapters: 1 })
  })

  it('does not count memory twice that a task takes already', () => {
    const holding = { node: 'pi-1', need: need({ memoryBytes: gibibyte }), usedBytes: 0.75 * gibibyte }
    const { room, idle } = offer({ freeMemoryBytes: 2 * gibibyte }, [holding])
    expect(room.memoryBytes).toBe(1.75 * gibibyte)
    expect(idle.memoryBytes).toBe(2.75 * gibibyte)
  })

  it('is never less than nothing', () => {
    const holdings = [{ node: 'pi-1', need: need({ cores: 8, memoryBytes: 8 * gibibyte }) }]
    expect(offer({}, holdings).room).toEqual({ cores: 0, memoryBytes: 0, adapters: 0 })
  })

  it('counts what runs on its own node only', () => {
    expect(offer({}, [{ node: 'pi-2', need: need({}) }]).room.cores).toBe(4)
  })

  it('is slower where the node is hot, and where other programs are busy, but not where its own tasks are', () => {
    expect(offer({ gflops: 8, throttled: true })).toMatchObject({ gflops: 4, throttled: true })
    expect(offer({ gflops: 8, load: 0.5 }).gflops).toBe(4)
    expect(offer({ gflops: 8, load: 0.5 }, [{ node: 'pi-1', need: need({ cores: 2 }) }]).gflops).toBe(8)
  })

  it('is never of no speed at all, whatever was measured', () => {
    expect(offer({ gflops: 0 }).gflops).toBe(0.01)
  })

  it('is not made by clients; the rest come in order of their ids', () => {
    const nodes = [node('pi-2'), node('laptop', { role: 'client' }), node('desk', { role: 'manager' })]
    expect(offersOf(nodes, []).map(({ nodeId }) => nodeId)).toEqual(['desk', 'pi-2'])
  })
})
