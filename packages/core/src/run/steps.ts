// Prepares each unit of a plan: kernels are asked of the device and bound to their memory, everything else becomes a function of the run.
import { dtypes } from '../dtype.ts'
import type { Node, Tensor } from '../graph/graph.ts'
import type { FusedKernel } from '../ir/kernel.ts'
import { simpleKernel } from '../ir/kernel.ts'
import { E } from '../ir/expr.ts'
import type { VariableResource } from '../resource.ts'
import type { ConcreteType, Size } from '../shape.ts'
import { sizeOf } from '../shape.ts'
import { bytesOf } from '../compile/bytesOf.ts'
import type { Plan } from '../compile/plan.ts'
import type { Unit } from '../compile/units.ts'
import { after, all } from './awaitable.ts'
import type { CompileBody } from './controlFlow.ts'
import { caseStep } from './controlFlow.ts'
import { isBlank } from '../ops/graph/blank.ts'
import type { Awaitable, Buffer, Kernel, PreparedInputs, Signature } from './device.ts'
import type { Flights } from './flights.ts'
import { finishStep, hostStep, startStep } from './hostStep.ts'
import type { Memory, Nested, Step } from './program.ts'
import { scatterSignature } from '../place/scatterSignature.ts'
import { scanStep } from './scanStep.ts'
import { whileStep } from './whileStep.ts'
import type { VariableStore } from './variables.ts'

/** What preparing a program needs besides its memory. */
export interface StepContext {
  readonly memory: Memory
  readonly variable: (resource: VariableResource) => Buffer
  readonly variables: VariableStore
  readonly compileBody: CompileBody
  /** Bodies of control flow end up here, to be freed with the program. */
  readonly nested: Nested[]
  /** What the program will have under way. */
  readonly flights: Flights
}

/** A kernel that waits for its scratch memory. */
interface Prepared {
  readonly kernel: Kernel
  readonly args: readonly Buffer[]
  /** What was made of its constant inputs: the last argument. */
  readonly prepared?: Buffer
}

/** The steps of all units, in order. */
export function prepareSteps(units: readonly Unit[], context: StepContext): Awaitable<Step[]> {
  return after(all(units.map((unit) => prepare(unit, context))), (prepared) => {
    const workspaceBytes = prepared
      .flatMap(({ kernels }) => kernels)
      .reduce((most, { kernel }) => Math.max(most, kernel.workspaceBytes), 0)
    const workspace = workspaceBytes > 0 ? context.memory.own(workspaceBytes) : undefined
    context.memory.complete()
    return prepared.flatMap(({ unit, kernels, run, once }) => {
      if (kernels.length === 0 && !run) return []
      const launches = kernels.map(({ kernel, args, prepared: last }) => ({
        kernel,
        args: [...args, ...(kernel.workspaceBytes > 0 ? [workspace!] : []), ...(last ? [last] : [])],
      }))
      return [{ unit, launches, ...(run && { run }), ...(once && { once }) }]
    })
  })
}

interface PreparedUnit {
  readonly unit: Unit
  readonly kernels: readonly Prepared[]
  readonly run?: Step['run']
  readonly once?: boolean
}

function prepare(unit: Unit, context: StepContext): Awaitable<PreparedUnit> {
  const { memory } = context
  const { device } = memory
  const buffers = (tensors: readonly Tensor[]): Buffer[] => tensors.map((t) => memory.bufferOf(t))
  const withKernels = (kernels: readonly Awaitable<Prepared>[]): Awaitable<PreparedUnit> =>
    after(all(kernels), (ready) => ({ unit, kernels: ready }))
  const onVariable = (kernels: readonly Awaitable<Prepared>[]): Awaitable<PreparedUnit> => {
    const run = valueCheck(unit, context)
    return after(withKernels(kernels), (ready) => (run ? { ...ready, run, once: true } : ready))
  }
  /** Kernels that may write variables: those have a value from then on. */
  const assigning = (kernels: readonly Awaitable<Prepared>[]): Awaitable<PreparedUnit> => {
    const fresh = (unit.assigns ?? []).filter(({ resource }) => !context.variables.isInitialized(resource))
    // One without elements has no kernel that would have made its memory.
    fresh.forEach(({ resource }) => context.variable(resource))
    const run = () => fresh.forEach(({ resource }) => context.variables.markInitialized(resource))
    return after(withKernels(kernels), (ready) => (fresh.length > 0 ? { ...ready, run, once: true } : ready))
  }
  const withRun = (run: NonNullable<Step['run']>): PreparedUnit => ({ unit, kernels: [], run })
  switch (unit.kind) {
    case 'fused':
      if (unit.kernel!.stores.every(({ length }) => length === 0)) return assigning([])
      return assigning([
        after(device.fuse(unit.kernel!), (kernel) => ({
          kernel,
          args: [...buffers(unit.inputs), ...buffers(unit.outputs.slice(0, unit.kernel!.stores.length))],
        })),
      ])
    case 'kernel': {
      const { node, epilogue } = unit
      if (node.outputs.every((t) => sizeOf(t.shape as Size) === 0)) return assigning([])
      const inputs = buffers(node.inputs.filter((t) => !isBlank(t)))
      const args = [
        ...inputs,
        ...buffers(epilogue?.inputs ?? []),
        ...buffers(node.outputs),
        ...buffers(epilogue ? unit.outputs.slice(1, 1 + epilogue.kernel.stores.length) : []),
      ]
      const constants = node.inputs.flatMap((t, i) => (memory.isConstant(t) ? [i] : []))
      const signature = { ...signatureOf(node), constants: new Set(constants) }
      const made = device.kernel(node.op.name, signature, epilogue?.kernel)
      return assigning([
        after(made, (kernel) => {
          if (!kernel.prepared) return { kernel, args }
          const prepared = memory.own(kernel.prepared.bytes)
          kernel.prepared.launch([...inputs, prepared])
          const replaced = replacedBy(kernel.prepared, unit, memory.plan)
          new Set([...replaced].map(memory.plan.source)).forEach((t) => memory.release(t))
          const bound = node.inputs.filter((t) => !isBlank(t))
          const launched = args.map((arg, i) => (replaced.has(bound[i]!) ? prepared : arg))
          return { kernel, args: launched, prepared }
        }),
      ])
    }
    case 'readVariable':
      return onVariable(snapshot(unit, context))
    case 'assign':
      return onVariable([...assign(unit, context), ...snapshot(unit, context)])
    case 'scatter':
      return onVariable([scatter(unit, context), ...snapshot(unit, context)])
    case 'host':
      return withRun(hostStep(unit, memory))
    case 'start':
      return withRun(startStep(unit, memory, context.flights))
    case 'finish':
      return withRun(finishStep(unit, memory, context.flights))
    case 'parameter':
      return withKernels(snapshot(unit, context))
    case 'case':
      return after(caseStep(unit, context), withRun)
    case 'while':
      return after(whileStep(unit, context), withRun)
    case 'scan':
      return after(scanStep(unit, context), withRun)
    case 'constant':
    case 'feed':
    case 'alias':
    case 'group':
      return { unit, kernels: [] }
    default:
      return unit.kind satisfies never
  }
}

/** The inputs of a unit that nothing in it reads any more, since something was made of them. */
function replacedBy(
  { replaces }: PreparedInputs,
  { node, epilogue }: Unit,
  { source }: Plan,
): ReadonlySet<Tensor> {
  const others = node.inputs.filter((_, i) => !replaces?.has(i))
  const read = new Set([...others, ...(epilogue?.inputs ?? [])].map(source))
  return new Set(node.inputs.filter((t) => !read.has(source(t))))
}

/** What a hand-written kernel is told. Inputs that lend only their shape are in it, but have no buffer. */
export const signatureOf = ({ name, inputs, outputs, attrs }: Node): Signature => ({
  name,
  inputs: inputs.map((t) => t.type as ConcreteType),
  outputs: outputs.map((t) => t.type as ConcreteType),
  attrs,
  shapeOnly: new Set(inputs.flatMap((t, i) => (isBlank(t) ? [i] : []))),
})

/** Copies what would be overwritten before its last reader: the value of a variable, or a parameter that is also a result. */
function snapshot(unit: Unit, { memory, variable }: StepContext): Awaitable<Prepared>[] {
  const t = unit.outputs[0]!
  if (!memory.plan.snapshots.has(t)) return []
  const from =
    unit.kind === 'parameter'
      ? memory.givenBuffer(t)
      : variable(unit.node.attrs['resource'] as VariableResource)
  return [{ kernel: memory.device.copy(bytesOf(t)), args: [from, memory.bufferOf(t)] }]
}

/** Says that a variable has a value from this step on, or asks that it has one. Nothing to do where it has: it never loses it. */
function valueCheck({ node, kind }: Unit, { variables }: StepContext): Step['run'] | undefined {
  const resource = node.attrs['resource'] as VariableResource
  if (variables.isInitialized(resource)) return undefined
  return kind === 'assign' && node.attrs['update'] === 'set'
    ? () => variables.markInitialized(resource)
    : () => variables.demand(resource, node)
}

function assign(unit: Unit, { memory, variable }: StepContext): Awaitable<Prepared>[] {
  const resource = unit.node.attrs['resource'] as VariableResource
  const [value] = unit.inputs as [Tensor]
  const [from, to] = [memory.bufferOf(value), variable(resource)]
  const update = unit.node.attrs['update'] as 'set' | 'add' | 'sub'
  if (update === 'set')
    return from === to ? [] : [{ kernel: memory.device.copy(bytesOf(value)), args: [from, to] }]
  if (sizeOf(value.shape as Size) === 0) return []
  return [
    after(memory.device.fuse(updateKernel(unit.node.name, value, update)), (kernel) => ({
      kernel,
      args: [to, from, to],
    })),
  ]
}

/** variable ± value in place: the kernel's output is its first input. */
function updateKernel(name: string, value: Tensor, update: 'add' | 'sub'): FusedKernel {
  const length = sizeOf(value.shape as Size)
  const { dtype } = value
  const at = E.axis(0)
  return simpleKernel({
    name,
    inputs: [
      { dtype, length },
      { dtype, length },
    ],
    output: { dtype, length },
    axes: [length],
    reduced: 0,
    body: E[update](E.load(0, at, dtype), E.load(1, at, dtype)),
  })
}

function scatter(unit: Unit, { memory, variable }: StepContext): Awaitable<Prepared> {
  const resource = unit.node.attrs['resource'] as VariableResource
  const to = variable(resource)
  return after(memory.device.kernel('TensorScatter', scatterSignature(unit.node)), (kernel) => ({
    kernel,
    args: [to, ...unit.inputs.map((t) => memory.bufferOf(t)), to],
  }))
}

/** The bytes of one row along axis 0 of a tensor. */
export const rowBytes = (shape: Size, dtype: Tensor['dtype']): number =>
  sizeOf(shape.slice(1)) * dtypes[dtype].bytes
