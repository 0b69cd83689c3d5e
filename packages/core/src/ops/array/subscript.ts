// Indexing as NumPy writes it: a text such as '1:6:2, ..., -1' becomes a strided slice.
import { AttrError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { expandDims, squeeze } from './expandDims.ts'
import { downToStart, stridedSlice, upToEnd } from './stridedSlice.ts'

type Part =
  | { readonly kind: 'slice'; readonly begin: number; readonly end: number; readonly stride: number }
  | { readonly kind: 'index'; readonly at: number }
  | { readonly kind: 'newAxis' }

/**
 * x[text] as NumPy understands it: `'1:6:2'`, `'::-1'`, `'3'` (takes the axis out), `'...'` (all axes between), `'newaxis'`.
 * @throws AttrError for what cannot be read, or has more parts than x has axes.
 */
export function subscript(x: TensorLike, text: string): Tensor {
  const whole = toTensor(x)
  const parts = expand(
    text.split(',').map((part) => part.trim()),
    whole.rank,
    text,
  )
  const taken = parts.filter((part) => part.kind !== 'newAxis')
  const sliced = stridedSlice(whole, {
    begin: taken.map((part) => (part.kind === 'slice' ? part.begin : part.at)),
    end: taken.map((part) => (part.kind === 'slice' ? part.end : part.at === -1 ? upToEnd : part.at + 1)),
    strides: taken.map((part) => (part.kind === 'slice' ? part.stride : 1)),
  })
  const single = squeeze(sliced, {
    axes: taken.flatMap((part, axis) => (part.kind === 'index' ? [axis] : [])),
  })
  return parts
    .filter((part) => part.kind !== 'index')
    .reduce((tensor, part, axis) => (part.kind === 'newAxis' ? expandDims(tensor, { axis }) : tensor), single)
}

function expand(texts: readonly string[], rank: number, whole: string): Part[] {
  const dots = texts.indexOf('...')
  if (dots !== texts.lastIndexOf('...')) throw new AttrError(`'${whole}' has more than one '...'`)
  const parts = texts.flatMap((text): Part[] => (text === '...' ? [] : [parse(text, whole)]))
  const missing = rank - parts.filter((part) => part.kind !== 'newAxis').length
  if (missing < 0)
    throw new AttrError(`'${whole}' indexes ${rank - missing} axes of a tensor that has ${rank}`)
  const rest = Array.from(
    { length: missing },
    (): Part => ({ kind: 'slice', begin: 0, end: upToEnd, stride: 1 }),
  )
  return dots < 0 ? [...parts, ...rest] : parts.toSpliced(dots, 0, ...rest)
}

function parse(text: string, whole: string): Part {
  if (text === 'newaxis' || text === 'None') return { kind: 'newAxis' }
  const numbers = text.split(':').map((digits) => {
    const trimmed = digits.trim()
    if (!/^(-?\d+)?$/.test(trimmed))
      throw new AttrError(
        `cannot read '${text}' in '${whole}': write an index, begin:end:stride, '...' or newaxis`,
      )
    return trimmed === '' ? undefined : Number(trimmed)
  })
  const [first, end, step] = numbers
  if (numbers.length === 1 && first !== undefined) return { kind: 'index', at: first }
  if (numbers.length === 1 || numbers.length > 3) throw new AttrError(`cannot read '${text}' in '${whole}'`)
  const stride = step ?? 1
  return {
    kind: 'slice',
    begin: first ?? (stride > 0 ? 0 : upToEnd),
    end: end ?? (stride > 0 ? upToEnd : downToStart),
    stride,
  }
}
