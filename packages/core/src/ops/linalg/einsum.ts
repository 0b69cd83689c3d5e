// Einstein summation: products of any number of tensors, summed over the labels that the result does not have.
import { numerics } from '../../dtype.ts'
import { AttrError, ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { indexLike } from '../array/indexLike.ts'
import { equal } from '../math/equal.ts'
import { select } from '../math/select.ts'
import { sum } from '../reduce/sum.ts'
import type { AnyOp, GradContext } from '../../op.ts'
import { attr, defineOp } from '../../op.ts'
import type { Dim } from '../../shape.ts'
import { broadcastShapes, formatShape, mergeDim } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'
import { toTensors } from '../constant.ts'
import { sameDType } from '../elementwise.ts'
import { sumTo } from '../reduce/sumLike.ts'
import { contract } from './contract.ts'

const attributes = {
  labels: attr.texts(
    'the labels of each operand: distinct, and each also in another operand or in the result',
  ),
  result: attr.text('the labels of the result, distinct'),
}

const einsumOp = defineOp({
  name: 'Einsum',
  doc: 'Products of any number of tensors, summed over the labels that the result does not have; sizes of 1 broadcast.',
  inputs: ['...operands'],
  dtypes: [numerics],
  attrs: attributes,
  infer: (operands, { labels, result }) => {
    const sizes = new Map<string, Dim>()
    operands.forEach(({ shape }, i) => {
      if (Array.from(labels[i]!).length !== shape.length)
        throw new ShapeError(`labels '${labels[i]}' do not fit ${formatShape(shape)}`)
      Array.from(labels[i]!).forEach((label, axis) =>
        sizes.set(label, broadcastShapes([sizes.get(label) ?? 1], [shape[axis]!])[0]!),
      )
    })
    return [{ dtype: sameDType(operands), shape: Array.from(result).map((label) => sizes.get(label) ?? 1) }]
  },
  // Each operand's gradient is the same kind of sum, with the result in its place.
  grad: ({
    dy,
    inputs,
    attrs: { labels, result },
  }: GradContext<readonly ['...operands'], typeof attributes>): Tensor[] =>
    inputs.map((operand, i) =>
      sumTo(
        einsumOp([dy, ...inputs.toSpliced(i, 1)], {
          labels: [result, ...labels.toSpliced(i, 1)],
          result: labels[i]!,
        }),
        operand,
      ),
    ),
  body: { kind: 'composite', build: (operands, { labels, result }) => contract(operands, labels, result) },
})

/**
 * Einstein summation: `einsum('ij,jk->ik', a, b)` is a matrix product, `einsum('ii->i', a)` a diagonal, `einsum('...ij->...ji', a)` a transpose.
 * Without `->` the result has the ellipsis, then all labels that occur once, in alphabetical order. Ellipses broadcast; labels have one size.
 * Several operands are contracted in the order that makes the smallest intermediate results.
 * @throws AttrError for a malformed equation; ShapeError for operands that do not fit it.
 */
export const einsum: ((equation: string, ...operands: readonly TensorLike[]) => Tensor) & AnyOp =
  Object.assign(
    (equation: string, ...operands: readonly TensorLike[]): Tensor => {
      const tensors = toTensors(operands, einsumOp.def)
      const { labels, result } = parse(equation, tensors)
      const once = tensors.map((t, i) => diagonal(t, labels[i]!))
      const used = (label: string, i: number): boolean =>
        result.includes(label) || once.some((o, k) => k !== i && o.labels.includes(label))
      const needed = once.map(({ tensor, labels: own }, i) => {
        const lone = own.flatMap((label, axis) => (used(label, i) ? [] : [axis]))
        return lone.length === 0
          ? { tensor, labels: own }
          : { tensor: sum(tensor, { axes: lone }), labels: own.filter((label) => used(label, i)) }
      })
      return einsumOp(
        needed.map((o) => o.tensor),
        { labels: needed.map((o) => o.labels.join('')), result: result.join('') },
      )
    },
    { def: einsumOp.def },
  )

/** Of axes with one label only the diagonal remains. Zeroing the rest and summing keeps the sizes out of it. */
function diagonal(tensor: Tensor, labels: readonly string[]): { tensor: Tensor; labels: readonly string[] } {
  const first = labels.findIndex((label, axis) => labels.indexOf(label) !== axis)
  if (first < 0) return { tensor, labels }
  const same = equal(
    indexLike(tensor, { axis: labels.indexOf(labels[first]!) }),
    indexLike(tensor, { axis: first }),
  )
  return diagonal(sum(select(same, tensor, 0), { axes: [first] }), labels.toSpliced(first, 1))
}

const isLabel = (text: string): boolean => /^[a-zA-Z]$/.test(text)
// Axes of ellipses get labels that no equation can spell, counted from the right so that they align.
const ellipsisLabel = (fromRight: number): string => String.fromCodePoint(0x3b1 + fromRight)

/** The labels of every operand and of the result, ellipses written out. */
function parse(equation: string, operands: readonly Tensor[]): { labels: string[][]; result: string[] } {
  const wrong = (why: string) => new AttrError(`einsum '${equation}': ${why}`)
  const [left, right, ...rest] = equation.replaceAll(' ', '').split('->')
  if (rest.length > 0) throw wrong('has more than one ->')
  const terms = left!.split(',')
  if (terms.length !== operands.length)
    throw wrong(`has ${terms.length} terms for ${operands.length} operands`)
  const ellipses = terms.map((term, i) => {
    const named = term.replace('...', '')
    if (!Array.from(named).every(isLabel)) throw wrong(`term '${term}' may have letters and one ellipsis`)
    const extra = operands[i]!.rank - named.length
    if (extra < 0 || (extra > 0 && named === term))
      throw new ShapeError(
        `einsum '${equation}': term '${term}' does not fit ${formatShape(operands[i]!.shape)}`,
      )
    return Array.from({ length: extra }, (_, k) => ellipsisLabel(extra - 1 - k))
  })
  const longest = ellipses.reduce<string[]>((a, b) => (b.length > a.length ? b : a), [])
  const spell = (term: string, ellipsis: readonly string[]): string[] => {
    const at = term.indexOf('...')
    return at < 0
      ? Array.from(term)
      : [...Array.from(term.slice(0, at)), ...ellipsis, ...Array.from(term.slice(at + 3))]
  }
  const labels = terms.map((term, i) => spell(term, ellipses[i]!))
  checkSizes(equation, labels, operands)
  const all = labels.flat()
  const implicit = `...${[...new Set(all)]
    .filter((label) => isLabel(label) && all.indexOf(label) === all.lastIndexOf(label))
    .sort()
    .join('')}`
  const result = spell(right ?? implicit, longest)
  if (longest.length > 0 && !(right ?? implicit).includes('...'))
    throw wrong('its result needs the ellipsis too')
  if (new Set(result).size !== result.length) throw wrong('its result names a label twice')
  const foreign = result.find((label) => !all.includes(label))
  if (foreign !== undefined) throw wrong(`its result names '${foreign}', which no operand has`)
  return { labels, result }
}

function checkSizes(
  equation: string,
  labels: readonly (readonly string[])[],
  operands: readonly Tensor[],
): void {
  const sizes = new Map<string, Dim>()
  labels.forEach((own, i) =>
    own.forEach((label, axis) => {
      const size = operands[i]!.shape[axis]!
      const known = sizes.get(label) ?? size
      sizes.set(
        label,
        isLabel(label)
          ? mergeDim(known, size, `einsum '${equation}': label '${label}' has two sizes`)
          : broadcastShapes([known], [size])[0]!,
      )
    }),
  )
}
