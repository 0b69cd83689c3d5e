// Pieces that are put side by side by adding them to zeros are joined.
import type { Node, Tensor } from '../../graph/graph.ts'
import { concat } from '../../ops/array/concat.ts'
import { pad } from '../../ops/array/pad.ts'
import { add } from '../../ops/math/add.ts'
import { sameShape } from '../values.ts'
import type { Rule, Site } from './rule.ts'

/** The terms of a sum whose partial sums nothing else reads. */
function termsOf(site: Site, node: Node): Tensor[] {
  return node.inputs.flatMap((t) => {
    const inner = site.once(t) ? site.look(t, add) : undefined
    return inner ? termsOf(site, inner) : [t]
  })
}

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

/** Rules about pieces of a tensor: the gradient of its slices. */
export const joinRules: readonly Rule[] = [
  {
    ops: [add],
    why: 'pieces that fill a tensor without overlapping are joined',
    apply: (site) => {
      const terms = termsOf(site, site.node)
      if (!terms.every((t) => sameShape(t.shape, site.output.shape))) return undefined
      const pieces = terms.map((t) => pieceOf(site, t)).filter((piece) => piece !== undefined)
      const [first] = pieces
      if (!first || pieces.length < terms.length || pieces.some(({ axis }) => axis !== first.axis))
        return undefined
      pieces.sort((a, b) => a.begin - b.begin)
      const ends = [0, ...pieces.map(({ end }) => end)]
      if (!pieces.every(({ begin }, i) => begin === ends[i]) || ends.at(-1) !== site.output.shape[first.axis])
        return undefined
      return concat(
        pieces.map(({ x }) => x),
        { axis: first.axis },
      )
    },
  },
]
