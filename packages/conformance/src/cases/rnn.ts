// Recurrent layers over batches of sequences, each against its equations written out.
import type { NDArray } from '@shoal/core'
import * as s from '@shoal/core'
import type { OpCase } from '../case.ts'
import { opCase } from '../case.ts'
import { random } from '../inputs.ts'

type Vector = readonly number[]
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
/** x · w + b for a vector and a matrix. */
const affine = (x: Vector, w: NDArray, b: NDArray): number[] =>
  b.numbers().map((bias, j) => x.reduce((sum, v, i) => sum + v * Number(w.at(i, j)), bias))
const gates = (z: Vector, units: number): Vector[] =>
  Array.from({ length: z.length / units }, (_, k) => z.slice(k * units, (k + 1) * units))

interface Weights {
  readonly input: NDArray
  readonly hidden: NDArray
  readonly bias: NDArray
  readonly hiddenBias: NDArray
}
type Cell = (x: Vector, state: readonly Vector[]) => readonly Vector[]

const lstmOf =
  ({ input, hidden, bias, hiddenBias }: Weights): Cell =>
  (x, [h, c]) => {
    const [i, f, g, o] = gates(
      affine(x, input, bias).map((v, k) => v + affine(h!, hidden, hiddenBias)[k]!),
      c!.length,
    )
    const memory = c!.map((v, k) => sigmoid(f![k]!) * v + sigmoid(i![k]!) * Math.tanh(g![k]!))
    return [memory.map((v, k) => sigmoid(o![k]!) * Math.tanh(v)), memory]
  }
const gruOf =
  ({ input, hidden, bias, hiddenBias }: Weights): Cell =>
  (x, [h]) => {
    const [fromX, fromH] = [
      gates(affine(x, input, bias), h!.length),
      gates(affine(h!, hidden, hiddenBias), h!.length),
    ]
    return [
      h!.map((v, k) => {
        const update = sigmoid(fromX[1]![k]! + fromH[1]![k]!)
        return (
          (1 - update) * Math.tanh(fromX[2]![k]! + sigmoid(fromX[0]![k]! + fromH[0]![k]!) * fromH[2]![k]!) +
          update * v
        )
      }),
    ]
  }
const plainOf =
  ({ input, hidden, bias, hiddenBias }: Weights): Cell =>
  (x, [h]) => [affine(x, input, bias).map((v, k) => Math.tanh(v + affine(h!, hidden, hiddenBias)[k]!))]

/** A cell over x [batch, time, features] from zeros, each sequence as long as `lengths` says. */
function run(cell: Cell, x: NDArray, units: number, lengths: Vector, { parts = 1, reverse = false } = {}) {
  const [batch, time, features] = x.shape as [number, number, number]
  const nothing = new Array<number>(units).fill(0)
  const ends: Vector[][] = []
  const outputs = Array.from({ length: batch }, (_, n) => {
    let state: readonly Vector[] = new Array<Vector>(parts).fill(nothing)
    const rows: Vector[] = new Array<Vector>(time).fill(nothing)
    const steps = Array.from({ length: lengths[n]! }, (__, t) => t)
    for (const t of reverse ? steps.reverse() : steps) {
      state = cell(
        Array.from({ length: features }, (__, i) => Number(x.at(n, t, i))),
        state,
      )
      rows[t] = state[0]!
    }
    ends.push([...state])
    return rows
  })
  return { outputs, state: Array.from({ length: parts }, (_, part) => ends.map((e) => e[part]!)) }
}

const weights = (k: number) => ({
  input: random([3, k * 2], { low: -1, high: 1 }),
  hidden: random([2, k * 2], { low: -1, high: 1 }),
  bias: random([k * 2]),
  hiddenBias: random([k * 2]),
})
const full = [4, 4, 4] as const
const ragged = [4, 0, 2] as const
const x = random([3, 4, 3])

/** Cases of ops/rnn. */
export const rnnCases: readonly OpCase[] = [
  opCase({
    op: 'Scan',
    name: 'lstm, whole sequences and ragged ones',
    inputs: { x, ...weights(4) },
    dtypes: ['float32', 'float64'],
    symbolic: false,
    build: ({ x, ...w }) => {
      const whole = s.lstm(x, w)
      const cut = s.lstm(x, w, { lengths: ragged })
      return { outputs: whole.outputs, h: whole.h, c: whole.c, cut: cut.outputs, cutC: cut.c }
    },
    expect: ({ x, ...w }) => {
      const [whole, cut] = [
        run(lstmOf(w), x, 2, full, { parts: 2 }),
        run(lstmOf(w), x, 2, ragged, { parts: 2 }),
      ]
      return {
        outputs: whole.outputs,
        h: whole.state[0]!,
        c: whole.state[1]!,
        cut: cut.outputs,
        cutC: cut.state[1]!,
      }
    },
  }),
  opCase({
    op: 'Scan',
    name: 'gru, forwards, and backwards over ragged sequences',
    inputs: { x, ...weights(3) },
    symbolic: false,
    build: ({ x, ...w }) => {
      const back = s.gru(x, w, { lengths: ragged, reverse: true })
      return { outputs: s.gru(x, w).outputs, back: back.outputs, h: back.h }
    },
    expect: ({ x, ...w }) => {
      const back = run(gruOf(w), x, 2, ragged, { reverse: true })
      return { outputs: run(gruOf(w), x, 2, full).outputs, back: back.outputs, h: back.state[0]! }
    },
  }),
  opCase({
    op: 'Scan',
    name: 'basicRnn in both directions',
    inputs: { x, ...weights(1) },
    symbolic: false,
    build: ({ x, ...w }) => s.bidirectional((reverse) => s.basicRnn(x, w, { reverse })).outputs,
    expect: ({ x, ...w }) => {
      const [there, back] = [run(plainOf(w), x, 2, full), run(plainOf(w), x, 2, full, { reverse: true })]
      return there.outputs.map((rows, n) => rows.map((row, t) => [...row, ...back.outputs[n]![t]!]))
    },
  }),
  opCase({
    op: 'Scan',
    name: 'time first, an initial state, the order of gates and the forget bias of BasicLSTMCell',
    inputs: { x: random([2, 3, 3]), h: random([3, 2]), c: random([3, 2]), ...weights(4) },
    symbolic: false,
    build: ({ x, h, c, ...w }) => {
      const swapped = (t: s.Tensor) => {
        const [i, f, g, o] = s.split(t, 4, { axis: -1 })
        return s.concat([i!, g!, f!, o!], { axis: -1 })
      }
      const w2 = {
        input: swapped(w.input),
        hidden: swapped(w.hidden),
        bias: swapped(w.bias),
        hiddenBias: swapped(w.hiddenBias),
      }
      const first = s.lstm(x, w, { initial: { h, c }, timeMajor: true, forgetBias: 1 })
      const second = s.lstm(x, w2, { initial: { h, c }, timeMajor: true, forgetBias: 1, gates: 'igfo' })
      return s.sub(first.outputs, second.outputs)
    },
    expect: new Float64Array(12),
  }),
  opCase({
    op: 'MatMul',
    name: 'cells, one step each',
    inputs: {
      x: random([2, 3]),
      h: random([2, 2]),
      c: random([2, 2]),
      input: random([3, 8]),
      hidden: random([2, 8]),
      bias: random([8]),
      hiddenBias: random([8]),
    },
    symbolic: false,
    build: ({ x, h, c, ...w }) => s.lstmCell(x, { h, c }, w),
    expect: ({ x, h, c, ...w }) => {
      const rows = (t: NDArray): Vector[] => t.toArray() as number[][]
      const next = rows(x).map((row, n) => lstmOf(w)(row, [rows(h)[n]!, rows(c)[n]!]))
      return { h: next.map((state) => state[0]!), c: next.map((state) => state[1]!) }
    },
  }),
  opCase({
    op: 'MatMul',
    name: 'gruCell with the reset before, as GRUCell has it, and rnnCell',
    inputs: {
      x: random([2, 3]),
      h: random([2, 2]),
      input: random([3, 6]),
      hidden: random([2, 6]),
      bias: random([6]),
    },
    symbolic: false,
    build: ({ x, h, input, hidden, bias }) => [
      s.gruCell(x, h, { input, hidden, bias }, { resetAfter: false }),
      s.rnnCell(x, h, {
        input: s.slice(input, { begin: [0, 0], size: [3, 2] }),
        hidden: s.slice(hidden, { begin: [0, 0], size: [2, 2] }),
      }),
    ],
    expect: ({ x, h, input, hidden, bias }) => {
      const rows = (t: NDArray): number[][] => t.toArray() as number[][]
      const none = s.ndarray(new Float64Array(6))
      const gated = rows(x).map((row, n) => {
        const state = rows(h)[n]!
        const [fromX, fromH] = [gates(affine(row, input, bias), 2), gates(affine(state, hidden, none), 2)]
        const reset = state.map((v, k) => v * sigmoid(fromX[0]![k]! + fromH[0]![k]!))
        const candidate = gates(affine(reset, hidden, none), 2)[2]!
        return state.map((v, k) => {
          const update = sigmoid(fromX[1]![k]! + fromH[1]![k]!)
          return (1 - update) * Math.tanh(fromX[2]![k]! + candidate[k]!) + update * v
        })
      })
      const plain = rows(x).map((row, n) =>
        gates(affine(row, input, none), 2)[0]!.map((v, k) =>
          Math.tanh(v + gates(affine(rows(h)[n]!, hidden, none), 2)[0]![k]!),
        ),
      )
      return [gated, plain]
    },
  }),
]
