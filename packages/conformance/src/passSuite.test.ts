import {
  add,
  blank,
  broadcastTo,
  dropShapeInputs,
  graphFunction,
  inline,
  mul,
  ndarray,
  placeholder,
  recompute,
  rewrite,
  sub,
  sum,
  sumLike,
  tanh,
} from '@shoal/core'
import type { Graph, Pass } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { checkPass, passSuite } from './passSuite.ts'

const vector = () => placeholder({ shape: [2], name: 'x' })

function calls(): { graph: Graph; feeds: Map<ReturnType<typeof vector>, ReturnType<typeof ndarray>> } {
  const x = vector()
  const twice = graphFunction('twice', [{ dtype: 'float32', shape: [2] }], (t) => [add(t, t)])
  return { graph: { fetches: [mul(twice(x)[0]!, x)], targets: [] }, feeds: new Map([[x, ndarray([3, 4])]]) }
}

passSuite(inline, [
  {
    name: 'a call',
    build: calls,
    after: `
      %x = Placeholder() {shape: [2], dtype: "float32"} : float32[2]
      %twice/add = Add(%x, %x) : float32[2]
      %mul = Mul(%twice/add, %x) : float32[2]
      return %mul`,
  },
])

passSuite(recompute({ maxBytes: 600 }), [
  {
    name: 'a value that is needed early and late',
    build() {
      const x = vector()
      const large = broadcastTo(x, { shape: [32, 2], name: 'large' })
      const early = sum(large, { name: 'early' })
      const late = sum(tanh(broadcastTo(early, { shape: [64], name: 'wide' })), { name: 'late' })
      return { graph: { fetches: [mul(large, late)], targets: [] }, feeds: new Map([[x, ndarray([1, 2])]]) }
    },
    after: `
      %x = Placeholder() {shape: [2], dtype: "float32"} : float32[2]
      %large = BroadcastTo(%x) {shape: [32, 2]} : float32[32, 2]
      %early = Sum(%large) {keepDims: false} : float32[]
      %wide = BroadcastTo(%early) {shape: [64]} : float32[64]
      %tanh = Tanh(%wide) : float32[64]
      %late = Sum(%tanh) {keepDims: false} : float32[]
      %large/again = BroadcastTo(%x) {shape: [32, 2]} : float32[32, 2] ^late
      %mul = Mul(%large/again, %late) : float32[32, 2]
      return %mul`,
  },
])

passSuite(dropShapeInputs, [
  {
    name: 'an input that lends its shape',
    build() {
      const x = placeholder({ shape: [3, 2], name: 'x' })
      const y = vector()
      const feeds = new Map([
        [
          x,
          ndarray([
            [1, 2],
            [3, 4],
            [5, 6],
          ]),
        ],
        [y, ndarray([0, 0])],
      ])
      return { graph: { fetches: [sumLike(x, add(y, 1))], targets: [] }, feeds }
    },
    after: `
      %x = Placeholder() {shape: [3, 2], dtype: "float32"} : float32[3, 2]
      %add = Blank() {shape: [2], dtype: "float32"} : float32[2]
      %sumLike = SumLike(%x, %add) : float32[2]
      return %sumLike`,
  },
  {
    name: 'a shape that is blank already',
    build() {
      const x = placeholder({ shape: [3, 2], name: 'x' })
      const like = blank({ shape: [2], dtype: 'float32' })
      return {
        graph: { fetches: [sumLike(x, like)], targets: [] },
        feeds: new Map([
          [
            x,
            ndarray([
              [1, 2],
              [3, 4],
              [5, 6],
            ]),
          ],
        ]),
      }
    },
    before: `
      %x = Placeholder() {shape: [3, 2], dtype: "float32"} : float32[3, 2]
      %blank = Blank() {shape: [2], dtype: "float32"} : float32[2]
      %sumLike = SumLike(%x, %blank) : float32[2]
      return %sumLike`,
    after: `
      %x = Placeholder() {shape: [3, 2], dtype: "float32"} : float32[3, 2]
      %blank = Blank() {shape: [2], dtype: "float32"} : float32[2]
      %sumLike = SumLike(%x, %blank) : float32[2]
      return %sumLike`,
  },
])

describe('checkPass', () => {
  it('refuses a pass that changes values', async () => {
    const wrong: Pass = {
      name: 'wrong',
      run: (graph) =>
        rewrite(graph, (node) =>
          node.op.name === 'Add' ? [sub(node.inputs[0]!, node.inputs[1]!)] : undefined,
        ),
    }
    const x = vector()
    const graph = { fetches: [add(x, 1)], targets: [] }
    await expect(checkPass(wrong, { graph, feeds: new Map([[x, ndarray([1, 2])]]) })).rejects.toThrow(
      'wrong: add',
    )
  })
})
