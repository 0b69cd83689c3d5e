import { describe, expect, it } from 'vitest'
import {
  add,
  cond,
  constant,
  controlDependencies,
  gradients,
  group,
  identity,
  less,
  LocalTarget,
  matmul,
  mul,
  neg,
  NDArray,
  ndarray,
  placeholder,
  reference,
  reshape,
  scope,
  Session,
  square,
  sub,
  sum,
  variable,
  ClosedError,
  DTypeError,
  MissingFeedError,
  NotFoundError,
  ShapeError,
  UninitializedError,
  ValueError,
  NameError,
  device,
  unique,
} from '../index.ts'

const x = placeholder({ shape: ['batch', 3], name: 'x' })

describe('fetching and feeding', () => {
  it('keeps the structure of what is fetched', async () => {
    const session = new Session()
    const [y, z] = [mul(x, 2), add(x, 1)]
    const answer = await session.run({ y, both: [z, [y, z]] }, { x: [[1, 2, 3]] })
    expect(answer.y.toArray()).toEqual([[2, 4, 6]])
    expect(answer.both[1][1].toArray()).toEqual([[2, 3, 4]])
    await session.close()
  })

  it('feeds an inner tensor, whose producer then does not run', () => {
    const session = new Session()
    const inner = neg(x)
    expect(session.runSync(mul(inner, 10), [[inner, [[1, 1, 1]]]]).toArray()).toEqual([[10, 10, 10]])
  })

  it('answers a feed that is fetched, and the same tensor twice', () => {
    const answer = new Session().runSync([x, x], { x: [[1, 2, 3]] })
    expect(answer.map((a) => a.toArray())).toEqual([[[1, 2, 3]], [[1, 2, 3]]])
  })

  it('answers arrays of the caller’s own, which can be written to', () => {
    const session = new Session()
    const fixed = constant([1, 2])
    const fed = ndarray([[1, 2, 3]])
    for (const fetch of [fixed, reshape(fixed, { shape: [2, 1] }), x]) {
      const answer = session.runSync(fetch, [[x, fed]]).data as Float32Array
      answer[0] = 9
    }
    expect(session.runSync(add(fixed, 0)).toArray()).toEqual([1, 2])
    expect(session.runSync(fixed).toArray()).toEqual([1, 2])
    expect(fed.toArray()).toEqual([[1, 2, 3]])
  })

  it('takes feeds that nothing reads', () => {
    expect(new Session().runSync(constant(7), [[x, [[1, 2, 3]]]]).item()).toBe(7)
  })

  it('compiles again for another batch size', () => {
    const session = new Session()
    const total = sum(x, { axes: [0] })
    expect(session.runSync(total, { x: [[1, 2, 3]] }).toArray()).toEqual([1, 2, 3])
    expect(
      session
        .runSync(total, {
          x: [
            [1, 2, 3],
            [10, 20, 30],
          ],
        })
        .toArray(),
    ).toEqual([11, 22, 33])
    expect(
      session.runSync(total, [[x, new NDArray('float32', [0, 3], new Float32Array(0))]]).toArray(),
    ).toEqual([0, 0, 0])
  })

  it('gives a flat typed array the shape that its placeholder leaves open', () => {
    expect(
      new Session().runSync(sum(x, { axes: [1] }), { x: Float32Array.of(1, 2, 3, 4, 5, 6) }).toArray(),
    ).toEqual([6, 15])
  })

  it('names what is wrong with a feed, and stays usable', async () => {
    const session = new Session()
    const y = mul(x, 2)
    await expect(session.run(y, { x: [[1, 2]] })).rejects.toThrow(ShapeError)
    await expect(session.run(y, { x: [[1, 2]] })).rejects.toThrow(
      "Placeholder 'x': expected [batch, 3], got [1, 2]: size 2 at axis 1 is not 3",
    )
    await expect(session.run(y)).rejects.toThrow(MissingFeedError)
    await expect(session.run(y, { z: 1 })).rejects.toThrow(NotFoundError)
    await expect(session.run(y, { x: Int32Array.of(1, 2, 3) })).rejects.toThrow(DTypeError)
    expect((await session.run(y, { x: [[1, 2, 3]] })).toArray()).toEqual([[2, 4, 6]])
    await session.close()
  })

  it('says what a feed is that is no value', () => {
    const run = (value: unknown) => () => new Session().runSync(x, { x: value as number })
    expect(run(undefined)).toThrow("Placeholder 'x': was fed undefined")
    expect(run(Promise.resolve(1))).toThrow('was fed a promise: await it')
    expect(run(mul(x, 2))).toThrow('was fed a tensor: feed its value')
    expect(run([[1, 2], [3]])).toThrow("Placeholder 'x': ragged array")
  })

  it('makes no integer of a number that is none', () => {
    const ids = placeholder({ shape: ['n'], dtype: 'int32', name: 'ids' })
    expect(() => new Session().runSync(ids, { ids: [0.5] })).toThrow("Placeholder 'ids': 0.5 is not an int32")
    expect(() => mul(ids, 0.5)).toThrow("input 'b': 0.5 is not an int32")
    expect(() => constant([300], 'uint8')).toThrow('300 is not an uint8')
  })

  it('takes a map of fetches, and says what a name is', () => {
    const answer = new Session().runSync(new Map([['twice', mul(x, 2)]]), { x: [[1, 2, 3]] })
    expect(answer['twice']?.toArray()).toEqual([[2, 4, 6]])
    expect(() => new Session().runSync('x' as never)).toThrow("'x' is a name: fetch the tensor itself")
  })

  it('holds every feed to one size per name', () => {
    const y = placeholder({ shape: ['batch'], name: 'y' })
    expect(() => new Session().runSync([x, y], { x: [[1, 2, 3]], y: [1, 2] })).toThrow(
      "'batch' is 1 elsewhere in this run",
    )
  })

  it('refuses to run when it is closed', async () => {
    const session = new Session()
    await session.close()
    await expect(session.run(constant(1))).rejects.toThrow(ClosedError)
  })

  it('shares its devices with no other session, nor one device among two places', async () => {
    const mine = reference()
    const session = new Session({ devices: [mine] })
    expect(() => new Session({ devices: [reference(), mine] })).toThrow(ValueError)
    expect(() => new Session({ devices: [mine] })).toThrow(
      'the reference device was given to a session already, which closes it with itself',
    )
    const twice = reference()
    expect(() => new Session({ devices: [twice, twice] })).toThrow('a device belongs to one session')
    expect(new Session({ devices: [twice] }).runSync(constant(1)).item()).toBe(1)
    expect(session.runSync(constant(2)).item()).toBe(2)
    await session.close()
    // A target of one's own may be built over devices that others use.
    const [one, two] = [
      new Session({ target: new LocalTarget([mine]) }),
      new Session({ target: new LocalTarget([mine]) }),
    ]
    expect([one.runSync(constant(3)).item(), two.runSync(constant(4)).item()]).toEqual([3, 4])
  })
  it('runs the same graph twice at once', async () => {
    const session = new Session()
    const y = square(x)
    const [a, b] = await Promise.all([session.run(y, { x: [[1, 2, 3]] }), session.run(y, { x: [[4, 5, 6]] })])
    expect([a.toArray(), b.toArray()]).toEqual([[[1, 4, 9]], [[16, 25, 36]]])
    await session.close()
  })
})

describe('variables', () => {
  it('must have a value before they are read', () => {
    const v = variable(1, { name: 'lonely' })
    expect(() => new Session().runSync(v)).toThrow(UninitializedError)
    expect(() => new Session().runSync(v)).toThrow("variable 'lonely' has no value yet")
  })

  it('start in the order in which they depend on each other', async () => {
    const session = new Session()
    const a = variable([1, 2], { name: 'a' })
    const b = variable(mul(a, 10), { name: 'b' })
    const c = variable(add(a, b), { name: 'c' })
    await session.initialize(c)
    expect(session.runSync(c).toArray()).toEqual([11, 22])
    await session.close()
  })

  it('are read before the assignments of a run, unless the read waits for one', async () => {
    const session = new Session()
    const v = variable(1, { name: 'v' })
    await session.initialize(v)
    const assigned = v.assign(5)
    const later = controlDependencies([assigned], () => v.read())
    const [before, now, after] = session.runSync([mul(v, 1), assigned, mul(later, 1)])
    expect([before.item(), now.item(), after.item()]).toEqual([1, 5, 5])
  })

  it('keep the value that was fetched although they change later in the run', async () => {
    const session = new Session()
    const v = variable([1, 2], { name: 'v' })
    await session.initialize(v)
    const [old] = session.runSync([v, v.assignAdd([10, 10])])
    expect(old.toArray()).toEqual([1, 2])
    expect(session.runSync(v).toArray()).toEqual([11, 12])
  })

  it('lose no update of a run', async () => {
    const session = new Session()
    const v = variable(0, { name: 'v' })
    await session.initialize(v)
    session.runSync(group(v.assignAdd(1), v.assignAdd(10), v.assignSub(3)))
    expect(session.runSync(v).item()).toBe(8)
  })

  it('swap', async () => {
    const session = new Session()
    const [a, b] = [variable([1, 2], { name: 'a' }), variable([3, 4], { name: 'b' })]
    await session.initialize(a, b)
    session.runSync(group(a.assign(b), b.assign(a)))
    expect(session.runSync([a, b]).map((v) => v.toArray())).toEqual([
      [3, 4],
      [1, 2],
    ])
  })

  it('take rows', async () => {
    const session = new Session()
    const v = variable(
      [
        [1, 1],
        [2, 2],
        [3, 3],
      ],
      { name: 'v' },
    )
    await session.initialize(v)
    session.runSync(
      v.scatterAdd(
        [0, 2, 0],
        [
          [1, 2],
          [3, 4],
          [10, 20],
        ],
      ),
    )
    expect(session.runSync(v).toArray()).toEqual([
      [12, 23],
      [2, 2],
      [6, 7],
    ])
  })

  it('must not share a name in one graph', async () => {
    const [a, b] = [variable(1, { name: 'twin' }), variable(2, { name: 'twin' })]
    await expect(new Session().initialize(a, b)).rejects.toThrow(NameError)
  })

  it('are named under their scope', () => {
    expect(scope('layer', () => variable(1, { name: 'w' })).name).toBe('layer/w')
  })

  it('refuse values that do not fit', () => {
    const v = variable([1, 2], { name: 'v' })
    expect(() => v.assign([1, 2, 3])).toThrow(ShapeError)
    expect(() => v.assign(constant([1, 2], 'int32'))).toThrow(DTypeError)
  })

  it('change inside a branch, and only in the one that runs', async () => {
    const session = new Session()
    const v = variable(0, { name: 'v' })
    const flag = placeholder({ shape: [], dtype: 'bool', name: 'flag' })
    await session.initialize(v)
    const step = cond(
      flag,
      () => v.assignAdd(1),
      () => v.assignAdd(100),
    )
    expect(session.runSync(step, { flag: true }).item()).toBe(1)
    expect(session.runSync(step, { flag: false }).item()).toBe(101)
    expect(session.runSync(v).item()).toBe(101)
  })
})

describe('a step of training', () => {
  it('goes downhill', async () => {
    const session = new Session()
    const w = variable([[0], [0], [0]], { name: 'w' })
    const y = placeholder({ shape: ['batch', 1], name: 'y' })
    const loss = sum(square(sub(matmul(x, w), y)))
    const [dw] = gradients(loss, [w])
    const step = w.assignSub(mul(dw!, 0.01))
    await session.initialize(loss)
    const feeds = {
      x: [
        [1, 2, 3],
        [3, 2, 1],
      ],
      y: [[1], [2]],
    }
    const first = session.runSync(loss, feeds).item() as number
    for (let i = 0; i < 50; i++) session.runSync(step, feeds)
    expect(session.runSync(loss, feeds).item()).toBeLessThan(first / 100)
  })
})

describe('a loop of runs that never wait', () => {
  it('leaves turns to timers, so that it can be aborted', async () => {
    const session = new Session()
    const signal = new AbortController()
    const timer = setTimeout(() => signal.abort(new Error('enough')), 0)
    const forever = async (): Promise<never> => {
      for (;;) await session.run(mul(x, 2), { x: [[1, 2, 3]] }, { signal: signal.signal })
    }
    await expect(forever()).rejects.toThrow('enough')
    clearTimeout(timer)
    await session.close()
  })

  it('takes turns in the time of the clock that it is given', async () => {
    let now = 0
    const turns: (() => void)[] = []
    const clock = { now: () => now, after: (_: number, turn: () => void) => turns.push(turn) }
    await using session = new Session({ clock })
    const run = () => session.run(mul(x, 2), { x: [[1, 2, 3]] })
    await run()
    expect(turns).toEqual([])
    now = 60
    const waiting = run()
    expect(turns).toHaveLength(1)
    turns[0]!()
    expect((await waiting).toArray()).toEqual([[2, 4, 6]])
  })
})

describe('tracing', () => {
  it('tells what ran, where and for how long', async () => {
    const session = new Session()
    const events: string[] = []
    await session.run(
      identity(matmul(x, [[1], [2], [3]])),
      { x: [[1, 2, 3]] },
      { onTrace: (all) => all.forEach((e) => events.push(`${e.op} on ${e.device}, ${e.bytes} bytes`)) },
    )
    expect(events).toContain('MatMul on /job:localhost/task:0/device:reference:0, 4 bytes')
    await session.close()
  })
})

describe('sizes that only a run can tell', () => {
  it('may not be read inside a branch', async () => {
    const session = new Session()
    const inside = cond(
      true,
      () => sum(unique(reshape(x, { shape: [-1] }))[0]),
      () => sum(x),
    )
    await expect(session.run(inside, { x: [[1, 2, 3]] })).rejects.toThrow(
      'compute it outside the branch or loop',
    )
    await session.close()
  })
})

describe('placement', () => {
  it('tells when a node runs elsewhere than it asked', async () => {
    const lines: string[] = []
    const session = new Session({ log: (line) => lines.push(line) })
    await session.run(
      device('gpu', () => neg(x)),
      { x: [[1, 2, 3]] },
    )
    expect(lines).toEqual([
      "placement: /device:gpu was asked for, /job:localhost/task:0/device:reference:0 taken, for Neg 'neg'",
    ])
    await session.close()
  })
})

describe('runSync', () => {
  it('compares', () => {
    expect(new Session().runSync(less([1, 2, 3], 2)).toArray()).toEqual([true, false, false])
  })
})
