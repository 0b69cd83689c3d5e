// What can go wrong with shaders.
import { ShoalError } from '@shoal/core'

/** A shader that the implementation of WebGPU refuses: a bug of this package or of the driver. The message shows the kernel and the lines. */
export class ShaderError extends ShoalError {
  override readonly name: string = 'ShaderError'
}
