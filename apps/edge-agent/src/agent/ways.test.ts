import { ConnectError, ConnectionLostError } from '@shoal/distributed/peers'
import { describe, expect, it } from 'vitest'
import { Ways } from './ways.ts'

describe('ways to a node', () => {
  it('are tried in turn, and the one that worked comes first from then on', async () => {
    const tried: string[] = []
    const ways = new Ways(() => ['a:1', 'b:1', 'c:1'])
    const reach = async (address: string) => {
      tried.push(address)
      if (address !== 'b:1') throw new ConnectError(`${address} cannot be reached`)
      return address
    }
    expect(await ways.reach('n', reach)).toBe('b:1')
    expect(await ways.reach('n', reach)).toBe('b:1')
    expect(tried).toEqual(['a:1', 'b:1', 'b:1'])
  })

  it('are given up where what is wrong is not the way', async () => {
    const ways = new Ways(() => ['a:1', 'b:1'])
    const tried: string[] = []
    const refused = ways.reach('n', async (address) => {
      tried.push(address)
      throw new Error('the task does not run here')
    })
    await expect(refused).rejects.toThrow('does not run here')
    expect(tried).toEqual(['a:1'])
  })

  it('end with the problem of the last one; and a node without any is not connected', async () => {
    const fail = async (address: string): Promise<void> => {
      throw new ConnectError(`${address} cannot be reached`)
    }
    await expect(new Ways(() => ['a:1', 'b:1']).reach('n', fail)).rejects.toThrow('b:1 cannot be reached')
    await expect(new Ways(() => []).reach('n', fail)).rejects.toThrow(ConnectionLostError)
  })
})
