import { describe, expect, it } from 'vitest'
import {
  add,
  controlDependencies,
  identity,
  mul,
  placeholder,
  reference,
  Session,
  sum,
  unique,
  variable,
} from '../index.ts'
import type { Device } from '../index.ts'

const x = placeholder({ shape: [4], name: 'x' })
const feeds = { x: [1, 1, 2, 3] }

describe('stages', () => {
  it('run an effect once that an effect of the first stage waited for', async () => {
    const [v, w] = [variable(0, { name: 'v' }), variable(0, { name: 'w' })]
    const session = new Session()
    await session.initialize(v, w)
    const counted = controlDependencies([w.assignAdd(1)], () => v.assignAdd(1))
    const [y] = await session.run([add(mul(unique(x)[0], 1), counted)], feeds)
    expect(y.toArray()).toEqual([2, 3, 4])
    expect((await session.run([v, w])).map((a) => a.item())).toEqual([1, 1])
    await session.close()
  })

  it('read a variable late before the writes that the read does not wait for', async () => {
    const v = variable(1, { name: 'v' })
    const session = new Session()
    await session.initialize(v)
    const late = sum(unique(x)[0])
    const read = controlDependencies([late], () => identity(v.read()))
    const [old, written, doubled] = await session.run([read, v.assign(5), mul(v.assignAdd(1), 2)], feeds)
    expect([old.item(), written.item(), doubled.item()]).toEqual([1, 5, 12])
    await session.close()
  })

  it('are compiled once', async () => {
    const device = reference()
    let prepared = 0
    const counting: Device = new Proxy(device, {
      get: (of, key) => {
        const value: unknown = Reflect.get(of, key)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          if (key === 'fuse' || key === 'kernel') prepared++
          return Reflect.apply(value, of, args) as unknown
        }
      },
    })
    const session = new Session({ devices: [counting] })
    const y = mul(unique(x)[0], 2)
    await session.run(y, feeds)
    const once = prepared
    for (let i = 0; i < 3; i++) expect((await session.run(y, feeds)).toArray()).toEqual([2, 4, 6])
    expect(prepared).toBe(once)
    await session.close()
  })
})
