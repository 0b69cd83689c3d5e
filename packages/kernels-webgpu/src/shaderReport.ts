// Says of a shader that was refused what kernel it is of, what is wrong, and in which lines.
import { ShaderError } from './errors.ts'
import type { PipelineSource } from './pipelines.ts'

/** What WebGPU rejects with. */
export interface CompilationFailure {
  readonly message: string
}

/** Lines before and after one that is wrong. */
const around = 2

/** The error for a shader that was refused, with the lines that the compiler names. */
export async function shaderError(
  source: PipelineSource,
  module: GPUShaderModule,
  failure: CompilationFailure,
): Promise<ShaderError> {
  const lines = source.text.split('\n')
  const messages = await module.getCompilationInfo().then(
    (info) => info.messages.filter(({ type }) => type === 'error'),
    () => [],
  )
  const places = messages.map(({ message, lineNum }) => `${message}\n${excerpt(lines, lineNum)}`)
  return refusal(source, places.length > 0 ? places.join('\n') : failure.message, failure)
}

/** The error for a shader that was refused, in the compiler's words. */
export const refusal = ({ name }: PipelineSource, what: string, cause: unknown): ShaderError =>
  new ShaderError(`the shader of kernel '${name}' was refused: ${what}`, { cause })

function excerpt(lines: readonly string[], line: number): string {
  const first = Math.max(1, line - around)
  return lines
    .slice(first - 1, line + around)
    .map((text, i) => `${first + i === line ? '>' : ' '} ${String(first + i).padStart(4)} | ${text}`)
    .join('\n')
}
