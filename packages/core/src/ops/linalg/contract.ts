// How an Einstein sum of known sizes is computed: pair by pair, each pair as a matrix product or an element-wise one.
import type { Tensor } from '../../graph/graph.ts'
import { reshape } from '../array/reshape.ts'
import { transpose } from '../array/transpose.ts'
import { mul } from '../math/mul.ts'
import { sum } from '../reduce/sum.ts'
import { matmul } from './matmul.ts'

/** A tensor and the label of each of its axes. */
interface Labelled {
  readonly tensor: Tensor
  readonly labels: readonly string[]
}

/** The sum of products over all labels that `result` does not have. Sizes are numbers; axes of size 1 broadcast. */
export function contract(operands: readonly Tensor[], labels: readonly string[], result: string): Tensor {
  const sizes = new Map<string, number>()
  operands.forEach((t, i) =>
    Array.from(labels[i]!).forEach((label, axis) =>
      sizes.set(label, Math.max(sizes.get(label) ?? 0, axisSize(t, axis))),
    ),
  )
  operands.forEach((t, i) =>
    Array.from(labels[i]!).forEach((label, axis) => axisSize(t, axis) === 0 && sizes.set(label, 0)),
  )
  // Axes of size 1 do nothing but broadcast: without them every label has one size.
  let open = operands.map((t, i) => withoutOnes({ tensor: t, labels: Array.from(labels[i]!) }))
  while (open.length > 1) {
    const [i, j] = cheapest(open, result, sizes)
    const rest = open.filter((_, k) => k !== i && k !== j)
    open = [...rest, multiply(open[i]!, open[j]!, neededBy(rest, result))]
  }
  const total = sumLone(open[0]!, neededBy([], result))
  const order = Array.from(result).filter((label) => total.labels.includes(label))
  return reshape(arranged(total, order), { shape: Array.from(result).map((label) => sizes.get(label) ?? 1) })
}

const axisSize = (t: Tensor, axis: number): number => t.shape[axis] as number
const neededBy = (rest: readonly Labelled[], result: string): ReadonlySet<string> =>
  new Set([...rest.flatMap((o) => o.labels), ...Array.from(result)])

function withoutOnes({ tensor, labels }: Labelled): Labelled {
  const kept = labels.map((_, axis) => axis).filter((axis) => axisSize(tensor, axis) !== 1)
  if (kept.length === labels.length) return { tensor, labels }
  return {
    tensor: reshape(tensor, { shape: kept.map((axis) => tensor.shape[axis]!) }),
    labels: kept.map((axis) => labels[axis]!),
  }
}

/** The pair whose product is smallest; of equals the first. */
function cheapest(
  open: readonly Labelled[],
  result: string,
  sizes: ReadonlyMap<string, number>,
): [number, number] {
  let best: [number, number] = [0, 1]
  let least = Infinity
  for (let i = 0; i < open.length; i++)
    for (let j = i + 1; j < open.length; j++) {
      const needed = neededBy(
        open.filter((_, k) => k !== i && k !== j),
        result,
      )
      const kept = new Set([...open[i]!.labels, ...open[j]!.labels].filter((label) => needed.has(label)))
      const size = [...kept].reduce((product, label) => product * sizes.get(label)!, 1)
      if (size < least) [best, least] = [[i, j], size]
    }
  return best
}

/** The product of two operands, summed over the labels that nothing else needs. */
function multiply(left: Labelled, right: Labelled, needed: ReadonlySet<string>): Labelled {
  const a = sumLone(left, new Set([...needed, ...right.labels]))
  const b = sumLone(right, new Set([...needed, ...left.labels]))
  const both = a.labels.filter((label) => b.labels.includes(label))
  const batch = both.filter((label) => needed.has(label))
  const inner = both.filter((label) => !needed.has(label))
  const rows = a.labels.filter((label) => !both.includes(label))
  const columns = b.labels.filter((label) => !both.includes(label))
  const size = (o: Labelled, label: string): number => axisSize(o.tensor, o.labels.indexOf(label))
  const count = (o: Labelled, labels: readonly string[]): number =>
    labels.reduce((product, label) => product * size(o, label), 1)
  const batchSizes = batch.map((label) => size(a, label))
  const shape = [
    ...batchSizes,
    ...rows.map((label) => size(a, label)),
    ...columns.map((label) => size(b, label)),
  ]
  const labels = [...batch, ...rows, ...columns]
  if (inner.length === 0) {
    const x = reshape(arranged(a, [...batch, ...rows]), { shape: [...batchSizes, count(a, rows), 1] })
    const y = reshape(arranged(b, [...batch, ...columns]), { shape: [...batchSizes, 1, count(b, columns)] })
    return { tensor: reshape(mul(x, y), { shape }), labels }
  }
  const x = reshape(arranged(a, [...batch, ...rows, ...inner]), {
    shape: [...batchSizes, count(a, rows), count(a, inner)],
  })
  const y = reshape(arranged(b, [...batch, ...inner, ...columns]), {
    shape: [...batchSizes, count(b, inner), count(b, columns)],
  })
  return { tensor: reshape(matmul(x, y), { shape }), labels }
}

function sumLone({ tensor, labels }: Labelled, needed: ReadonlySet<string>): Labelled {
  const axes = labels.flatMap((label, axis) => (needed.has(label) ? [] : [axis]))
  return axes.length === 0
    ? { tensor, labels }
    : { tensor: sum(tensor, { axes }), labels: labels.filter((label) => needed.has(label)) }
}

function arranged({ tensor, labels }: Labelled, order: readonly string[]): Tensor {
  return order.every((label, i) => label === labels[i])
    ? tensor
    : transpose(tensor, { order: order.map((label) => labels.indexOf(label)) })
}
