// Binds stages to the buffers of a launch. Buffers that stand in several places are bound once, if one of them writes: WebGPU allows nothing else.
import type { GpuBuffer } from './buffer.ts'
import type { Dispatch } from './commands.ts'
import type { Pipeline, PipelineCache, PipelineSource } from './pipelines.ts'
import type { BufferUse, Stage } from './stage.ts'
import { bindingFor } from './wgsl/memory.ts'
import { Shader, spread } from './wgsl/shader.ts'

/** The shader of a stage for one pattern of shared buffers. */
interface Variant {
  readonly source: PipelineSource
  /** For each binding, the first use that it serves. */
  readonly firsts: readonly number[]
}

/** Binds stages on one device. */
export class Binder {
  private readonly device: GPUDevice
  private readonly pipelines: PipelineCache
  private readonly variants = new WeakMap<Stage, Map<string, Variant>>()

  constructor(device: GPUDevice, pipelines: PipelineCache) {
    this.device = device
    this.pipelines = pipelines
  }

  /** A dispatch of a stage on the arguments of a launch, whose pipeline may still have to be compiled. @throws ShaderError */
  async later(stage: Stage, name: string, args: readonly GpuBuffer[]): Promise<Dispatch> {
    const variant = this.variantOf(stage, name, args)
    return this.bind(stage, variant, args, await this.pipelines.later(variant.source))
  }

  /** The same at once. */
  now(stage: Stage, name: string, args: readonly GpuBuffer[]): Dispatch {
    const variant = this.variantOf(stage, name, args)
    return this.bind(stage, variant, args, this.pipelines.now(variant.source))
  }

  private bind(
    stage: Stage,
    { source, firsts }: Variant,
    args: readonly GpuBuffer[],
    pipeline: Pipeline,
  ): Dispatch {
    const buffers = firsts.map((use) => args[stage.buffers[use]!.arg]!)
    const entries = buffers.map(({ gpu }, binding) => ({ binding, resource: { buffer: gpu } }))
    const group = this.device.createBindGroup({ layout: pipeline.layout, entries })
    const [width, height] = spread(stage.groups)
    return { pipeline, group, width, height, buffers, name: source.name }
  }

  private variantOf(stage: Stage, name: string, args: readonly GpuBuffer[]): Variant {
    const groups = groupsOf(stage.buffers, args)
    const key = groups.map((uses) => uses.join()).join(' ')
    let known = this.variants.get(stage)
    if (!known) this.variants.set(stage, (known = new Map()))
    const found = known.get(key)
    if (found) return found
    const made = write(stage, name, groups, this.device.features)
    known.set(key, made)
    return made
  }
}

/** The uses that each binding serves. */
function groupsOf(uses: readonly BufferUse[], args: readonly GpuBuffer[]): number[][] {
  const byBuffer = new Map<GPUBuffer, number[]>()
  uses.forEach(({ arg }, i) => {
    const { gpu } = args[arg]!
    const same = byBuffer.get(gpu)
    if (same) same.push(i)
    else byBuffer.set(gpu, [i])
  })
  const groups = [...byBuffer.values()].flatMap((same) => {
    const shared = same.some((i) => uses[i]!.access === 'write')
    return shared ? [same] : apart(same, uses)
  })
  return groups.sort((a, b) => a[0]! - b[0]!)
}

/** One group for each argument. */
function apart(same: readonly number[], uses: readonly BufferUse[]): number[][] {
  return [...Map.groupBy(same, (i) => uses[i]!.arg).values()]
}

function write(
  stage: Stage,
  name: string,
  groups: readonly (readonly number[])[],
  features: ReadonlySet<string>,
): Variant {
  const bindings = groups.map((group) =>
    bindingFor(
      group.map((i) => stage.buffers[i]!),
      features,
    ),
  )
  const bindingOf = stage.buffers.map((_, i) => groups.findIndex((group) => group.includes(i)))
  const shader = new Shader(stage.buffers, bindings, bindingOf)
  stage.write(shader)
  return {
    source: { text: shader.text(stage), writes: bindings.map(({ writes }) => writes), name },
    firsts: groups.map(([first]) => first!),
  }
}
