// Pieces that are put side by side by adding them to zeros are joined.
import type { Tensor } from '../../graph/graph.ts'
import { concat } from '../../ops/array/concat.ts'
import { pad } from '../../ops/array/pad.ts'
import { add } from '../../ops/math/add.ts'
import { sameShape } from '../values.ts'
import type { Rule, Site } from './rule.ts'

/** A piece with zeros around it along one axis. */
interface Piece {
  readonly x: Tensor
  readonly axis: number
  readonly begin: number
  readonly end: number
}

function pieceOf(site: Site, t: Tensor): Piece | undefined {
  const node = site.look(t, pad)
  if (!node || node.attrs['mode'] !== 'constant' || node.attrs['value'] !== 0) return undefined
  const [before, after] = [node.attrs['before'], node.attrs['after']] as [
    readonly number[],
    readonly number[],
  ]
  const [axis, ...more] = [...t.shape.keys()].filter((i) => before[i] !== 0 || after[i] !== 0)
  const [x] = node.inputs as [Tensor]
  const size = axis === undefined ? undefined : x.shape[axis]
  if (axis === undefined || more.length > 0 || typeof size !== 'number') return undefined
  return { x, axis, begin: before[axis]!, end: before[axis]! + size }
}

/**
 * The pieces that a sum adds up along one axis; undefined when it adds anything else. Sums that nothing else reads are looked into after the
 * terms beside them: one such term mostly settles it, so that a long chain of sums is not walked down from each of its nodes.
 */
function piecesOf(site: Site): readonly Piece[] | undefined {
  const pieces: Piece[] = []
  const sums = [site.node]
  for (const { inputs } of sums) {
    for (const t of inputs) {
      const inner = site.once(t) ? site.look(t, add) : undefined
      if (inner) {
        sums.push(inner)
        continue
      }
      const piece = sameShape(t.shape, site.output.shape) ? pieceOf(site, t) : undefined
      if (!piece || piece.axis !== (pieces[0] ?? piece).axis) return undefined
      pieces.push(piece)
    }
  }
  return pieces
}

/** Rules about pieces of a tensor: the gradient of its slices. */
export const joinRules: readonly Rule[] = [
  {
    ops: [add],
    why: 'pieces that fill a tensor without overlapping are joined',
    apply: (site) => {
      const pieces = piecesOf(site)?.toSorted((a, b) => a.begin - b.begin)
      if (!pieces) return undefined
      const { axis } = pieces[0]!
      const ends = [0, ...pieces.map(({ end }) => end)]
      if (!pieces.every(({ begin }, i) => begin === ends[i]) || ends.at(-1) !== site.output.shape[axis])
        return undefined
      return concat(
        pieces.map(({ x }) => x),
        { axis },
      )
    },
  },
]
