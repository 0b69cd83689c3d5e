// Where the sums of a product go: to its output, or as partial sums into scratch memory, which a stage of its own adds up.
import { sizeOf } from '@shoal/core'
import { storedIn } from '../../output.ts'
import type { BufferUse, Stage } from '../../stage.ts'
import { wrapped } from '../../wgsl/scalar.ts'
import type { Shader } from '../../wgsl/shader.ts'
import type { Places } from '../kernelDef.ts'
import type { Product } from './product.ts'

/** What a stage does with its sums. */
export interface Result {
  readonly uses: readonly BufferUse[]
  /** How many neighbours of a row are stored at a time. */
  readonly width: 1 | 4
  /**
   * Stores sums side by side.
   * @param first the position of `uses[0]` among the stage's buffers.
   * @param split the part of k that was summed.
   * @param index of the first of them.
   */
  store(shader: Shader, first: number, split: string, index: string, sums: readonly string[]): void
}

const elementsOf = ({ batches, m, n }: Product): number => sizeOf(batches) * m * n

/** Lanes of a workgroup that adds up. */
const lanes = 64

/**
 * Where the sums of a product go that is split so often.
 * @param fours does the stage make groups of four neighbours? They are stored as such where rows are made of them.
 */
export function resultOf(
  product: Product,
  splits: number,
  { output, workspace }: Places,
  fours: boolean,
): Result {
  const count = elementsOf(product)
  const to = splits === 1 ? output : storedIn(partialsUse(product, splits, workspace, 'write'))
  const place = (shader: Shader, split: string, index: string): string =>
    split === '0' ? index : shader.let(`${split} * ${count} + ${index}`)
  const whole = (sum: string): string => (splits === 1 ? wrapped(sum, product.result.dtype) : sum)
  const { inFours } = to
  if (fours && inFours && product.n % 4 === 0)
    return {
      uses: inFours.uses,
      width: 4,
      store: (shader, first, split, index, sums) =>
        inFours.store(shader, first, place(shader, split, index), sums.map(whole)),
    }
  return {
    uses: to.uses,
    width: 1,
    store: (shader, first, split, index, [sum]) =>
      to.store(shader, first, place(shader, split, index), whole(sum!)),
  }
}

/** Adds the partial sums of all splits and stores the result; without any, the result is 0. */
export function addingStage(product: Product, splits: number, { output, workspace }: Places): Stage {
  const count = elementsOf(product)
  const { sum: type } = product.arithmetic
  const partials = splits === 0 ? [] : [partialsUse(product, splits, workspace, 'read')]
  return {
    buffers: [...partials, ...output.uses],
    groups: Math.ceil(count / lanes),
    lanes,
    write: (shader) => {
      const element = shader.let(`group * ${lanes} + lane`)
      if (count % lanes !== 0) shader.line(`if (${element} >= ${count}) { return; }`)
      const sum = shader.variable(type)
      if (splits > 0)
        shader.loop('0', `${splits}`, '1', (split) =>
          shader.line(`${sum} += ${shader.memory(0).load(`${split} * ${count} + ${element}`)};`),
        )
      output.store(shader, partials.length, element, wrapped(sum, product.result.dtype))
    },
  }
}

const partialsUse = (
  product: Product,
  splits: number,
  arg: number,
  access: BufferUse['access'],
): BufferUse => ({
  arg,
  dtype: product.arithmetic.partial,
  length: splits * elementsOf(product),
  access,
})
