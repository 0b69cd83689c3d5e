// Kernels as core launches them: at once, one by one, or bound beforehand and enqueued together.
import type { BoundLaunch, Buffer, Kernel } from '@shoal/core'
import { InternalError } from '@shoal/core'
import type { Binder } from './binding.ts'
import { type GpuBuffer, ownBuffer } from './buffer.ts'
import type { Commands } from './commands.ts'
import type { KernelCode, Stage } from './stage.ts'

/** Enqueues something that is bound already. */
export type Enqueue = () => void

/** A kernel of this device. */
export interface GpuKernel extends Kernel {
  /** Binds the kernel to its arguments, and compiles what is missing. */
  bind(args: readonly GpuBuffer[]): Promise<Enqueue> | Enqueue
}

/** What kernels are launched with. */
export interface Launcher {
  readonly binder: Binder
  readonly commands: Commands
  /** @throws whatever has ended the device */
  readonly demandUsable: () => void
}

/** A kernel of stages. `name` is for errors, traces and profiles. */
export function stagedKernel(name: string, code: KernelCode, launcher: Launcher): GpuKernel {
  const { binder, commands, demandUsable } = launcher
  const stages = code.stages.filter(({ groups }) => groups > 0)
  return {
    workspaceBytes: code.workspaceBytes,
    ...(code.schedule === undefined ? {} : { schedule: () => code.schedule! }),
    launch: (args) => {
      demandUsable()
      const own = args.map(ownBuffer)
      for (const stage of needed(stages, own)) commands.dispatch(binder.now(stage, name, own))
    },
    async bind(args) {
      const dispatches = await Promise.all(
        needed(stages, args).map((stage) => binder.later(stage, name, args)),
      )
      return () => dispatches.forEach((dispatch) => commands.dispatch(dispatch))
    },
  }
}

/** The stages that these arguments leave something to do for. */
const needed = (stages: readonly Stage[], args: readonly GpuBuffer[]): readonly Stage[] =>
  stages.filter(({ unlessSame }) => !unlessSame || args[unlessSame[0]] !== args[unlessSame[1]])

/** Binds launches so that they can be enqueued again and again. */
export async function bindAll(launches: readonly BoundLaunch[]): Promise<Enqueue[]> {
  return Promise.all(
    launches.map(async ({ kernel, args }) => {
      if (!isGpuKernel(kernel))
        throw new InternalError('a kernel of another device was given to the webgpu device')
      return kernel.bind(args.map((arg: Buffer) => ownBuffer(arg)))
    }),
  )
}

const isGpuKernel = (kernel: Kernel): kernel is GpuKernel => 'bind' in kernel
