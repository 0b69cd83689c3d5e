import { expect, it } from 'vitest'
import type { PresentNode } from '../jobs/ports.ts'
import type { Neighbours } from './neighbours.ts'
import { clusterNodes } from './nodes.ts'

it('managers alone are heard about who leads a job', () => {
  const head = { id: 'j-000000000000', term: 1_000_000, leader: 'w' }
  const present = ['manager', 'worker', 'client'].map((role) => ({
    nodeId: role,
    role,
    news: { inventory: {}, taken: [], jobs: [head] },
  }))
  const nodes = clusterNodes({
    self: { nodeId: 'a', role: 'manager', clusterId: 'c' },
    neighbours: () => ({ present }) as unknown as Neighbours,
    view: () => ({ nodeId: 'a', role: 'manager', jobs: [] }) as unknown as PresentNode,
    methods: () => ({}),
  })
  expect(nodes.present().map(({ nodeId, jobs }) => [nodeId, jobs.length])).toEqual([
    ['a', 0],
    ['manager', 1],
    ['worker', 0],
    ['client', 0],
  ])
})
