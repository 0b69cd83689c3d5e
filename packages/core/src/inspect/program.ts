// What a program does, for people: which nodes went into which kernel, how it runs, what it reads and computes, and the memory that it takes.
import { ValueError } from '../errors.ts'
import type { Tensor } from '../graph/graph.ts'
import { sayValue } from '../options.ts'
import type { Step } from '../run/program.ts'
import { Program } from '../run/program.ts'
import { formatType } from '../shape.ts'
import { flopsOfKernel, flopsOfNode } from './flops.ts'
import { movedBy } from './traffic.ts'

/** One step of a program. */
export interface StepReport {
  /** The node that names it. */
  readonly name: string
  /** 'fused', 'kernel', or the executor's own work: 'assign', 'scan', 'host', … */
  readonly kind: string
  /** All nodes whose work it does, as `name: Op`. */
  readonly nodes: readonly string[]
  /** What it reads and makes, as `name: type`. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Kernels that are launched. */
  readonly launches: number
  /** Loop sizes of a fused kernel; those after the bar are reduced. */
  readonly loops?: string
  /** How its kernels run on the device, where that says so. */
  readonly schedule: readonly string[]
  /** Bytes of what it reads and makes, each element once; of a tensor that it picks from, what it picks at most. */
  readonly bytes: number
  /** Floating-point operations; absent where its op does not say. */
  readonly flops?: number
}

/** A program as `inspectProgram` found it. `toString` says it in lines. */
export interface ProgramReport {
  /** The whole name of its device. */
  readonly device: string
  /** Which body of which branch or loop it is; absent: none. */
  readonly body?: string
  /** In order. Reads of variables, which stay where they are, are no steps. */
  readonly steps: readonly StepReport[]
  /** Kernels launched, bytes read and written, and operations of one run; bodies of loops and branches count once. */
  readonly launches: number
  readonly bytes: number
  readonly flops: number
  /**
   * Bytes of memory: slots that tensors share over time, constants, and scratch, which what kernels keep in a form of their own is in. Variables
   * belong to the session. `limit`: `maxActivationBytes` of the session, which the slots are to stay below.
   */
  readonly memory: {
    readonly slots: number
    readonly constants: number
    readonly scratch: number
    readonly limit?: number
  }
  /** The bodies of its control flow. */
  readonly bodies: readonly ProgramReport[]
  toString(): string
}

/**
 * Looks at a program: `const [program] = await session.programs(fetches, feeds); console.log(`${inspectProgram(program)}`)`.
 * @throws ValueError for what is no program.
 */
export function inspectProgram(program: Program): ProgramReport {
  if (!((program as unknown) instanceof Program))
    throw new ValueError(
      `inspectProgram takes one program, got ${sayValue(program)}: const [program] = await session.programs(fetches, feeds)`,
    )
  return reportOf(program)
}

function reportOf(program: Program, body?: string): ProgramReport {
  const steps = program.steps.filter((step) => !isIdle(step)).map(stepReport)
  const bodies = program.nested.map(({ what, program: nested }) => reportOf(nested, what))
  const { maxActivationBytes: limit } = program
  const total = (of: (report: StepReport | ProgramReport) => number | undefined): number =>
    [...steps, ...bodies].reduce((sum, report) => sum + (of(report) ?? 0), 0)
  const report = {
    device: program.deviceName,
    ...(body !== undefined && { body }),
    steps,
    launches: total(({ launches }) => launches),
    bytes: total(({ bytes }) => bytes),
    flops: total(({ flops }) => flops),
    memory: { ...program.memory.bytes, ...(limit !== undefined && { limit }) },
    bodies,
  }
  return { ...report, toString: () => linesOf(report).join('\n') }
}

/** A read that asks whether the variable has a value, and copies nothing. */
const isIdle = ({ unit, launches }: Step): boolean => unit.kind === 'readVariable' && launches.length === 0

function stepReport({ unit, launches }: Step): StepReport {
  const { node, kind, kernel, epilogue } = unit
  const known = [
    kernel && flopsOfKernel(kernel),
    flopsOfNode(node),
    epilogue && flopsOfKernel(epilogue.kernel),
  ]
  const flops = known.filter((n) => n !== undefined)
  return {
    name: node.name,
    kind,
    nodes: unit.nodes.map((n) => `${n.name}: ${n.op.name}`),
    inputs: unit.inputs.map(say),
    outputs: unit.outputs.map(say),
    launches: launches.length,
    ...(kernel && { loops: loopsOf(kernel) }),
    schedule: launches.flatMap((launch) => launch.kernel.schedule?.() ?? []),
    bytes: launches.length === 0 ? 0 : movedBy(unit),
    ...(flops.length > 0 && { flops: flops.reduce((a, b) => a + b, 0) }),
  }
}

const say = (t: Tensor): string => `${t.name}: ${formatType(t.type)}`

function loopsOf({ axes, reduced }: { readonly axes: readonly number[]; readonly reduced: number }): string {
  const kept = axes.slice(0, axes.length - reduced).join(' × ')
  return reduced === 0 ? `[${kept}]` : `[${kept} | ${axes.slice(axes.length - reduced).join(' × ')}]`
}

function linesOf(report: Omit<ProgramReport, 'toString'>): string[] {
  const { device, body, steps, launches, bytes, flops, memory, bodies } = report
  const slots = `${amount(memory.slots)}B in slots${limitOf(memory)}`
  const lines = [
    `${body ?? device}: ${launches} ${launches === 1 ? 'kernel' : 'kernels'}, ${amount(bytes)}B, ${amount(flops)}FLOP a run; memory: ${slots}, ${amount(memory.constants)}B of constants, ${amount(memory.scratch)}B of scratch`,
  ]
  for (const step of steps) {
    const cost = [
      step.loops,
      `${amount(step.bytes)}B`,
      step.flops === undefined ? '' : `${amount(step.flops)}FLOP`,
    ]
    // Of one node the name need not tell the op.
    const [only, ...others] = step.nodes
    const name = others.length === 0 && only !== undefined ? only : step.name
    lines.push(`  ${step.kind} ${name}  ${cost.filter(Boolean).join('  ')}`)
    if (step.nodes.length > 1) lines.push(`    nodes     ${step.nodes.join(', ')}`)
    for (const [what, list] of [
      ['reads', step.inputs],
      ['makes', step.outputs],
      ['schedule', step.schedule],
    ] as const)
      if (list.length > 0) lines.push(`    ${what.padEnd(9)} ${list.join(', ')}`)
  }
  for (const nested of bodies) lines.push(...linesOf(nested).map((line) => `  ${line}`))
  return lines
}

function limitOf({ slots, limit }: ProgramReport['memory']): string {
  if (limit === undefined) return ''
  return slots > limit
    ? `, more than the limit of ${amount(limit)}B`
    : `, within the limit of ${amount(limit)}B`
}

/** A number in thousands, millions or thousand millions: `1.23 M`. */
function amount(value: number): string {
  for (const [unit, size] of [
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const)
    if (value >= size) return `${(value / size).toPrecision(3)} ${unit}`
  return `${value} `
}
