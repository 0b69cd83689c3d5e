// Behaviours of sessions and placement: what runs, what does not, and where.
import type { Graph, NDArray, Tensor } from '@shoal/core'
import {
  add,
  ClosedError,
  constant,
  device,
  hostFunction,
  identity,
  mul,
  nameDevices,
  NotFoundError,
  partition,
  place,
  placeholder,
  reference,
  Session,
  sqrt,
  toposort,
  variable,
} from '@shoal/core'
import { expect } from 'vitest'
import type { Behaviour } from './behaviour.ts'

/** The tensor x as it is, and how often somebody computed it. */
function counted(x: Tensor): { readonly y: Tensor; readonly runs: () => number } {
  let runs = 0
  const pass = (inputs: readonly NDArray[]): readonly NDArray[] => {
    runs++
    return inputs
  }
  return { y: hostFunction([x], pass, { types: [x.type] })[0]!, runs: () => runs }
}

const names = (graph: Graph): string[] => toposort(graph).map((node) => node.op.name)

async function runsOnlyWhatIsNeeded(): Promise<void> {
  const b = sqrt(constant([4, 9]))
  const c = identity(b)
  const d = counted(identity(c))
  await using session = new Session()
  expect((await session.run(c)).toArray()).toEqual([2, 3])
  expect(d.runs()).toBe(0)
}

async function feedsAndFetches(): Promise<void> {
  const x = placeholder({ shape: [2], name: 'x' })
  const inner = counted(x)
  const y = mul(inner.y, 2)
  const v = variable([1, 1], { name: 'v' })
  const session = new Session()
  // An inner tensor may be fed: what makes it does not run, and x is not needed.
  expect((await session.run(y, [[inner.y, [3, 4]]])).toArray()).toEqual([6, 8])
  expect(inner.runs()).toBe(0)
  // By name; twice the same; a feed itself; a feed that nothing reads.
  const [first, second, fed] = await session.run([y, y, x] as const, { x: [1, 2] })
  expect([first, second, fed].map((a) => a.toArray())).toEqual([
    [2, 4],
    [2, 4],
    [1, 2],
  ])
  const unread = placeholder({ shape: [1] })
  expect(
    (
      await session.run(y, [
        [x, [1, 1]],
        [unread, [9]],
      ])
    ).toArray(),
  ).toEqual([2, 2])
  // A target only runs.
  await session.initialize(v)
  expect(await session.run(v.assignAdd([1, 2]).node)).toBeUndefined()
  expect((await session.run(v)).toArray()).toEqual([2, 3])
  await expect(session.run(y, { z: [1, 2] })).rejects.toThrow(NotFoundError)
  await expect(session.run(y, { z: [1, 2] })).rejects.toThrow("'z'")
  const waiting = hostFunction(
    [],
    (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      }),
    { types: [{ dtype: 'float32', shape: [] }] },
  )
  const run = session.run(waiting)
  const ended = run.catch((error: unknown) => error)
  await Promise.resolve()
  await session.close()
  expect(await ended).toBeInstanceOf(ClosedError)
}

function variablesAndEdges(): void {
  const x = placeholder({ shape: [2] })
  const v = device('reference:1', () => variable([0, 0], { name: 'v' }))
  const read = device('reference:1', () => v.read())
  const assigned = v.assignAdd(x)
  const left = device('reference:0', () => add(mul(x, 2), 1))
  const [a, b] = device('reference:1', () => [add(left, 1), mul(left, 3)])
  const graph = { fetches: [read, assigned, a!, b!], targets: [] }
  const devices = nameDevices([reference(), reference()])
  const placed = place(toposort(graph), devices, { soft: false, deviceOf: () => undefined })
  expect(placed.get(assigned.node)).toBe(placed.get(read.node))
  expect(placed.get(left.node)).not.toBe(placed.get(a!.node))
  const parts = partition(graph, [x], placed, ['a', 'b'])
  const all = parts.flatMap((part) => names(part.graph))
  expect(all.filter((name) => name === 'Send').length).toBe(1)
  expect(all.filter((name) => name === 'Recv').length).toBe(1)
}

export const sessionBehaviours: readonly Behaviour[] = [
  {
    id: 40,
    name: 'what no fetch needs does not run, and a fetched Identity is answered',
    check: runsOnlyWhatIsNeeded,
  },
  {
    id: 67,
    name: 'assignments run where their variable lives; a tensor crosses to a device once for all its readers',
    check: variablesAndEdges,
  },
  {
    id: 68,
    name: 'feeds of inner tensors, doubled fetches, targets, unknown names, closing',
    check: feedsAndFetches,
  },
]
