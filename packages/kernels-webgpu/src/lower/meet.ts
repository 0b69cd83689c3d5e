// How the lanes that share a point learn of each other's parts: by halves, or, where a whole workgroup shares one point, by subgroups.
import type { KernelReduction } from '@shoal/core'
import { scalarType } from '../wgsl/representation.ts'
import type { Shader } from '../wgsl/shader.ts'
import { combined, neutralLiteral, subgroupCombined } from './combine.ts'
import type { Sharing } from './sharing.ts'

/** Which lane of which point runs. */
export interface Seat {
  /** The lane among those of its point, from 0. */
  readonly share: string
  /** The point among those of the workgroup, from 0. */
  readonly point: string
}

/**
 * Combines what the lanes of a point have, for several reductions at once; all of the lanes get the answers. All lanes of the workgroup must come.
 * @param values of each reduction, in this lane.
 * @param features of the device, and of WGSL.
 */
export function meet(
  shader: Shader,
  reductions: readonly KernelReduction[],
  values: readonly string[],
  sharing: Sharing,
  seat: Seat,
  features: ReadonlySet<string>,
): string[] {
  if (sharing.across === 1) return [...values]
  // Which lanes make a subgroup is not promised: only that those of a workgroup are in subgroups with numbers of their own.
  return sharing.points === 1 && features.has('subgroups') && features.has('subgroup_id')
    ? bySubgroups(shader, reductions, values, sharing)
    : byHalves(shader, reductions, values, sharing, seat)
}

function bySubgroups(
  shader: Shader,
  reductions: readonly KernelReduction[],
  values: readonly string[],
  { across }: Sharing,
): string[] {
  shader.enable('subgroups')
  const [own, count] = [shader.builtin('subgroup_id'), shader.builtin('num_subgroups')]
  const parts = reductions.map(({ combine, dtype }, i) =>
    shader.let(subgroupCombined(shader, combine, dtype, values[i]!)),
  )
  // However small subgroups are, there are no more of them than lanes.
  const all = reductions.map(({ dtype }) => shader.shared(`array<${scalarType(dtype)}, ${across}>`))
  shader.block('if (subgroupElect())', () =>
    all.forEach((shared, i) => shader.line(`${shared}[${own}] = ${parts[i]!};`)),
  )
  shader.barrier()
  // Few are left: every lane goes through them, all in one order, and nobody has to wait again.
  const found = reductions.map(({ combine, dtype }) =>
    shader.variable(scalarType(dtype), neutralLiteral(shader, combine, dtype)),
  )
  shader.loop('0', `i32(${count})`, '1', (part) =>
    reductions.forEach(({ combine, dtype }, i) =>
      shader.line(`${found[i]!} = ${combined(shader, combine, dtype, found[i]!, `${all[i]!}[${part}]`)};`),
    ),
  )
  return found
}

function byHalves(
  shader: Shader,
  reductions: readonly KernelReduction[],
  values: readonly string[],
  { across, points, along }: Sharing,
  { share, point }: Seat,
): string[] {
  const all = reductions.map(({ dtype }) => shader.shared(`array<${scalarType(dtype)}, ${across * points}>`))
  all.forEach((shared, i) => shader.line(`${shared}[lane] = ${values[i]!};`))
  shader.barrier()
  // Lane `share` of a point holds its value `share · step` behind that of the point's first.
  const step = along ? 1 : points
  for (let half = across / 2; half >= 1; half /= 2) {
    shader.block(`if (${share} < ${half})`, () =>
      reductions.forEach(({ combine, dtype }, i) => {
        const [mine, other] = [`${all[i]!}[lane]`, `${all[i]!}[lane + ${half * step}]`]
        shader.line(`${mine} = ${combined(shader, combine, dtype, mine, other)};`)
      }),
    )
    shader.barrier()
  }
  return all.map((shared) => shader.let(`${shared}[${along ? `${point} * ${across}` : point}]`))
}
