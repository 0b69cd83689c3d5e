import type { Signature } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { ProtocolError } from '../errors.ts'
import { RemoteDevice } from './remoteDevice.ts'

const device = () =>
  new RemoteDevice({ name: '/job:worker/task:0/device:cpu:0', type: 'cpu', dtypes: ['float32'] })
const signature: Signature = { name: 'node', inputs: [], outputs: [], attrs: {}, shapeOnly: new Set() }

describe('what a device of another process supports', () => {
  it('is taken to be everything, until it has answered', () => {
    const asked = device()
    expect([asked.supports('A', signature), asked.supports('B', signature)]).toEqual([true, true])
    asked.learn(asked.questions, [false, true])
    expect([asked.supports('A', signature), asked.supports('B', signature)]).toEqual([false, true])
    expect(asked.questions).toEqual([])
  })
  it('is learnt of the questions that were asked, whatever was asked since', () => {
    const asked = device()
    asked.supports('A', signature)
    const first = asked.questions
    asked.supports('B', signature)
    const both = asked.questions
    // Two graphs are placed at once: the later answer is the first to come.
    asked.learn(both, [true, false])
    asked.supports('C', signature)
    asked.learn(first, [true])
    expect(asked.questions.map(({ op }) => op)).toEqual(['C'])
    expect([asked.supports('A', signature), asked.supports('B', signature)]).toEqual([true, false])
  })
  it('is not learnt of fewer answers than questions', () => {
    const asked = device()
    asked.supports('A', signature)
    expect(() => asked.learn(asked.questions, [])).toThrow(ProtocolError)
  })
})
