import { describe, expect, it } from 'vitest'
import { demandTask } from './taskIdentity.ts'

const task = { job: 'worker', task: 1 }

describe('who may be a task', () => {
  it.each([
    ['a node whose certificate is for its job', { cluster: 'c', node: 'n', role: 'worker' }],
    ['a node whose certificate is for nothing in particular', { cluster: 'c', node: 'n', role: '' }],
    ['anybody where there are no certificates', { cluster: '', node: '127.0.0.1:1', role: 'ps' }],
  ])('%s', (_, peer) => {
    expect(() => demandTask(task, peer)).not.toThrow()
  })

  it('nobody whose certificate is for another job', () => {
    expect(() => demandTask(task, { cluster: 'c', node: 'n', role: 'ps' })).toThrow(
      "ps 'n' may not be /job:worker/task:1: its certificate is for job 'ps'",
    )
  })
})
