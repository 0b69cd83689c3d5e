// What all lanes of a workgroup have, as one value.
import type { Shader } from '../wgsl/shader.ts'

/**
 * Joins the values of all lanes; each gets the answer. All lanes must come here.
 * @param type WGSL's.
 * @param lanes of the workgroup, a power of two.
 */
export function together(
  shader: Shader,
  type: string,
  lanes: number,
  own: string,
  join: (a: string, b: string) => string,
): string {
  if (lanes === 1) return own
  const values = shader.shared(`array<${type}, ${lanes}>`)
  shader.line(`${values}[lane] = ${own};`)
  shader.barrier()
  const half = shader.variable('i32', `${lanes / 2}`)
  shader.block(`for (; ${half} > 0; ${half} /= 2)`, () => {
    shader.block(`if (lane < ${half})`, () =>
      shader.line(`${values}[lane] = ${join(`${values}[lane]`, `${values}[lane + ${half}]`)};`),
    )
    shader.barrier()
  })
  const answer = shader.let(`${values}[0]`)
  // Nobody may come here again before all have read.
  shader.barrier()
  return answer
}
