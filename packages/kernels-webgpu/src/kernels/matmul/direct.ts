// Small products: a lane for every element of the result, without any ceremony.
import { sizeOf } from '@shoal/core'
import { counters } from '../../lower/map.ts'
import type { Stage } from '../../stage.ts'
import { multiplyAdd } from './arithmetic.ts'
import { OperandReader, useOf } from './operand.ts'
import type { Product } from './product.ts'
import type { Result } from './result.ts'
import { directLanes } from './schedule.ts'

/** The stage that computes all sums. */
export function directStage(product: Product, result: Result): Stage {
  const { a, b, batches, m, n, k, arithmetic } = product
  const count = sizeOf(batches) * m * n
  return {
    buffers: [useOf(a, false), useOf(b, false), ...result.uses],
    groups: Math.ceil(count / directLanes),
    lanes: directLanes,
    write: (shader) => {
      const element = shader.let(`group * ${directLanes} + lane`)
      if (count % directLanes !== 0) shader.line(`if (${element} >= ${count}) { return; }`)
      const position = counters(shader, element, [...batches, m, n])
      const [row, column] = position.slice(-2) as [string, string]
      const [left, right] = [a, b].map(
        (operand, i) =>
          new OperandReader(shader, shader.memory(i), operand, arithmetic, position.slice(0, -2)),
      ) as [OperandReader, OperandReader]
      const sum = shader.variable(arithmetic.sum)
      shader.loop('0', `${k}`, '1', (step) =>
        multiplyAdd(shader, arithmetic, sum, left.one(row, step), right.one(column, step), 1),
      )
      result.store(shader, 2, '0', element, [sum])
    },
  }
}
