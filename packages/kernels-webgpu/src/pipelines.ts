// Compiles shaders, each text once, as many at a time as there are.
import type { Health } from './health.ts'
import type { CompilationFailure } from './shaderReport.ts'
import { refusal, shaderError } from './shaderReport.ts'
import { computeStage } from './usage.ts'

/** A shader's text and how it binds its buffers. */
export interface PipelineSource {
  readonly text: string
  /** For each binding: is it written? */
  readonly writes: readonly boolean[]
  /** What it computes, for error messages and for profilers. */
  readonly name: string
}

/** A compiled shader. */
export interface Pipeline {
  readonly gpu: GPUComputePipeline
  readonly layout: GPUBindGroupLayout
}

/** Pipelines that are kept for whoever needs them next. Programs hold those that they run with. */
const mostKept = 2048

/** Pipelines by their text: those that were asked for last. */
export class PipelineCache {
  private readonly device: GPUDevice
  private readonly health: Health
  private readonly ready = new Map<string, Pipeline>()
  private readonly pending = new Map<string, Promise<Pipeline>>()
  private readonly layouts = new Map<string, readonly [GPUBindGroupLayout, GPUPipelineLayout]>()
  private readonly most: number
  private compiled = 0
  private characters = 0

  /** @param most that are kept for whoever needs them next. Default 2048. */
  constructor(device: GPUDevice, health: Health, most = mostKept) {
    this.device = device
    this.health = health
    this.most = most
  }

  /** Pipelines that were compiled, and the characters of their texts. */
  get counts(): { readonly pipelines: number; readonly characters: number } {
    return { pipelines: this.compiled, characters: this.characters }
  }

  /** Compiles without holding anybody up. @throws ShaderError */
  later(source: PipelineSource): Promise<Pipeline> {
    const { text } = source
    const ready = this.known(text)
    if (ready) return Promise.resolve(ready)
    const known = this.pending.get(text)
    if (known) return known
    const compiled = this.compile(source).finally(() => this.pending.delete(text))
    this.pending.set(text, compiled)
    return compiled
  }

  /** Compiles at once; should the shader be wrong, the device fails later. */
  now(source: PipelineSource): Pipeline {
    const ready = this.known(source.text)
    if (ready) return ready
    const { device } = this
    const compile = (): Pipeline => {
      const [layout, pipelineLayout] = this.layoutOf(source.writes)
      const module = device.createShaderModule({ code: source.text, label: source.name })
      const compute = { module, entryPoint: 'main' }
      const gpu = device.createComputePipeline({ label: source.name, layout: pipelineLayout, compute })
      return { gpu, layout }
    }
    const refused = (error: GPUError): Error => refusal(source, error.message, error)
    return this.keep(source, this.health.during('validation', compile, refused))
  }

  private async compile(source: PipelineSource): Promise<Pipeline> {
    const { device } = this
    device.pushErrorScope('validation')
    const module = device.createShaderModule({ code: source.text, label: source.name })
    const [layout, pipelineLayout] = this.layoutOf(source.writes)
    // What they were refused for, the pipeline is refused for too.
    const told = device.popErrorScope()
    const compiling = device.createComputePipelineAsync({
      label: source.name,
      layout: pipelineLayout,
      compute: { module, entryPoint: 'main' },
    })
    try {
      const [gpu] = await Promise.all([compiling, told])
      return this.keep(source, { gpu, layout })
    } catch (error) {
      throw await shaderError(source, module, error as CompilationFailure)
    }
  }

  /** One that is ready: from now on the last that was asked for. */
  private known(text: string): Pipeline | undefined {
    const pipeline = this.ready.get(text)
    if (!pipeline) return undefined
    this.ready.delete(text)
    this.ready.set(text, pipeline)
    return pipeline
  }

  private keep(source: PipelineSource, pipeline: Pipeline): Pipeline {
    const oldest = this.ready.size >= this.most ? this.ready.keys().next().value : undefined
    if (oldest !== undefined) this.ready.delete(oldest)
    this.ready.set(source.text, pipeline)
    this.compiled++
    this.characters += source.text.length
    return pipeline
  }

  private layoutOf(writes: readonly boolean[]): readonly [GPUBindGroupLayout, GPUPipelineLayout] {
    const key = writes.map(Number).join('')
    const known = this.layouts.get(key)
    if (known) return known
    const layout = this.device.createBindGroupLayout({
      entries: writes.map((written, binding) => ({
        binding,
        visibility: computeStage,
        buffer: { type: written ? 'storage' : 'read-only-storage' },
      })),
    })
    const made = [layout, this.device.createPipelineLayout({ bindGroupLayouts: [layout] })] as const
    this.layouts.set(key, made)
    return made
  }
}
