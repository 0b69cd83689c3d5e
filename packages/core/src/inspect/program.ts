// What a program does, for people: which nodes went into which kernel, how it runs, what it reads and computes, and the memory that it takes.
import type { Tensor } from '../graph/graph.ts'
import { bytesOf } from '../compile/bytesOf.ts'
import type { Program, Step } from '../run/program.ts'
import type { Unit } from '../compile/units.ts'
import { formatType, isConcrete } from '../shape.ts'
import { flopsOfKernel, flopsOfNode } from './flops.ts'

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
  /** Bytes of what it reads and makes, each tensor once. */
  readonly bytes: number
  /** Floating-point operations; absent where its op does not say. */
  readonly flops?: number
}

/** A program as `inspectProgram` found it. `toString` says it in lines. */
export interface ProgramReport {
  /** The whole name of its device. */
  readonly device: string
  readonly steps: readonly StepReport[]
  /** Kernels launched, bytes read and written, and operations of one run; bodies of loops and branches count once. */
  readonly launches: number
  readonly bytes: number
  readonly flops: number
  /** Bytes of memory: slots that tensors share over time, constants, and scratch. Variables belong to the session. */
  readonly memory: { readonly slots: number; readonly constants: number; readonly scratch: number }
  /** The bodies of its control flow. */
  readonly bodies: readonly ProgramReport[]
  toString(): string
}

/** Looks at a program: `const [program] = await session.programs(fetches, feeds); console.log(`${inspectProgram(program)}`)`. */
export function inspectProgram(program: Program): ProgramReport {
  const steps = program.steps.map(stepReport)
  const bodies = program.nested.map(inspectProgram)
  const total = (of: (report: StepReport | ProgramReport) => number | undefined): number =>
    [...steps, ...bodies].reduce((sum, report) => sum + (of(report) ?? 0), 0)
  const report = {
    device: program.deviceName,
    steps,
    launches: total(({ launches }) => launches),
    bytes: total(({ bytes }) => bytes),
    flops: total(({ flops }) => flops),
    memory: program.memory.bytes,
    bodies,
  }
  return { ...report, toString: () => linesOf(report).join('\n') }
}

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

/** Bytes of what a unit reads and makes, each tensor once: what an assignment answers is the memory that it wrote. */
function movedBy({ kind, node, inputs, outputs, assigns = [] }: Unit): number {
  const answers = new Set(assigns.flatMap((assignment) => assignment.node.outputs))
  const tensors = new Set([...inputs, ...outputs.filter((t) => !answers.has(t))])
  // An update reads what it adds to.
  const again = kind === 'assign' && node.attrs['update'] !== 'set' ? outputs : []
  return [...tensors, ...again].reduce(
    (sum, t) => sum + (isConcrete(t.shape) && t.dtype !== 'string' ? bytesOf(t) : 0),
    0,
  )
}

const say = (t: Tensor): string => `${t.name}: ${formatType(t.type)}`

function loopsOf({ axes, reduced }: { readonly axes: readonly number[]; readonly reduced: number }): string {
  const kept = axes.slice(0, axes.length - reduced).join(' × ')
  return reduced === 0 ? `[${kept}]` : `[${kept} | ${axes.slice(axes.length - reduced).join(' × ')}]`
}

function linesOf(report: Omit<ProgramReport, 'toString'>): string[] {
  const { device, steps, launches, bytes, flops, memory, bodies } = report
  const lines = [
    `${device}: ${launches} ${launches === 1 ? 'kernel' : 'kernels'}, ${amount(bytes)}B, ${amount(flops)}FLOP a run; memory: ${amount(memory.slots)}B in slots, ${amount(memory.constants)}B of constants, ${amount(memory.scratch)}B of scratch`,
  ]
  for (const step of steps) {
    const cost = [
      step.loops,
      `${amount(step.bytes)}B`,
      step.flops === undefined ? '' : `${amount(step.flops)}FLOP`,
    ]
    lines.push(`  ${step.kind} ${step.name}  ${cost.filter(Boolean).join('  ')}`)
    if (step.nodes.length > 1) lines.push(`    nodes     ${step.nodes.join(', ')}`)
    for (const [what, list] of [
      ['reads', step.inputs],
      ['makes', step.outputs],
      ['schedule', step.schedule],
    ] as const)
      if (list.length > 0) lines.push(`    ${what.padEnd(9)} ${list.join(', ')}`)
  }
  bodies.forEach((body, i) => {
    lines.push(`  body ${i + 1} of ${bodies.length}`, ...linesOf(body).map((line) => `  ${line}`))
  })
  return lines
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
