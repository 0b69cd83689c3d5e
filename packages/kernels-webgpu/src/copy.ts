// Copies between buffers: whole words as the GPU's own copies, anything else byte by byte.
import type { Kernel } from '@shoal/core'
import { InternalError } from '@shoal/core'
import { type BufferPool, type GpuBuffer, ownBuffer } from './buffer.ts'
import type { GpuKernel, Launcher } from './launch.ts'
import { stagedKernel } from './launch.ts'
import type { Stage } from './stage.ts'

/** Copies on one device. */
export class Copier {
  private readonly launcher: Launcher
  private readonly pool: BufferPool
  /** Where from, where to and how many: read by the shader that moves bytes. */
  private places: GpuBuffer | undefined

  constructor(launcher: Launcher, pool: BufferPool) {
    this.launcher = launcher
    this.pool = pool
  }

  /** A kernel that copies the first `bytes` bytes of one buffer to another. */
  kernel(bytes: number): Kernel {
    const enqueue = ([from, to]: readonly GpuBuffer[]): void => this.move(from!, 0, to!, 0, bytes)
    const kernel: GpuKernel = {
      workspaceBytes: 0,
      launch: (args) => {
        this.launcher.demandUsable()
        enqueue(args.map(ownBuffer))
      },
      bind: (args) => () => enqueue(args),
    }
    return kernel
  }

  /** Copies `bytes` bytes between offsets. */
  move(from: GpuBuffer, fromOffset: number, to: GpuBuffer, toOffset: number, bytes: number): void {
    if (fromOffset + bytes > from.bytes || toOffset + bytes > to.bytes)
      throw new InternalError(`${bytes} bytes were moved beyond the end of a buffer`)
    if (bytes === 0 || (from === to && fromOffset === toOffset)) return
    if (from === to) return this.within(from, fromOffset, toOffset, bytes)
    if (fromOffset % 4 === 0 && toOffset % 4 === 0 && bytes % 4 === 0)
      return this.launcher.commands.copy(from, fromOffset, to, toOffset, bytes)
    this.places ??= this.pool.take(12)
    this.launcher.commands.write(
      this.places,
      new Uint8Array(Uint32Array.of(fromOffset, toOffset, bytes).buffer),
    )
    stagedKernel('move', { stages: [moveBytes(from, to, bytes)], workspaceBytes: 0 }, this.launcher).launch([
      from,
      to,
      this.places,
    ])
  }

  /** A buffer cannot be copied to itself: by way of another. */
  private within(buffer: GpuBuffer, fromOffset: number, toOffset: number, bytes: number): void {
    const between = this.pool.take(bytes)
    this.move(buffer, fromOffset, between, 0, bytes)
    this.move(between, 0, buffer, toOffset, bytes)
    this.pool.give(between)
  }
}

const lanes = 64

/** A lane for every word that is written to; the bytes of it that do not belong to the move stay. */
const moveBytes = (from: GpuBuffer, to: GpuBuffer, bytes: number): Stage => ({
  buffers: [
    { arg: 0, dtype: 'uint32', length: from.gpu.size / 4, access: 'read' },
    { arg: 1, dtype: 'uint32', length: to.gpu.size / 4, access: 'write' },
    { arg: 2, dtype: 'uint32', length: 3, access: 'read' },
  ],
  groups: Math.ceil((bytes / 4 + 2) / lanes),
  lanes,
  write: (shader) => {
    const [source, target, places] = [0, 1, 2].map((i) => shader.memory(i)) as [
      ReturnType<typeof shader.memory>,
      ReturnType<typeof shader.memory>,
      ReturnType<typeof shader.memory>,
    ]
    const [begin, first, count] = [0, 1, 2].map((i) => shader.let(`i32(${places.load(String(i))})`))
    const word = shader.let(`${first} / 4 + group * ${lanes} + lane`)
    shader.line(`if (${word} * 4 >= ${first} + ${count}) { return; }`)
    const value = shader.variable('u32', target.load(word))
    for (let k = 0; k < 4; k++) {
      const offset = shader.let(`${word} * 4 + ${k} - ${first}`)
      shader.block(`if (${offset} >= 0 && ${offset} < ${count})`, () => {
        const at = shader.let(`${begin} + ${offset}`)
        const byte = `((${source.load(`${at} / 4`)} >> (u32(${at} % 4) * 8u)) & 0xffu)`
        shader.line(`${value} = (${value} & ~(0xffu << ${8 * k}u)) | (${byte} << ${8 * k}u);`)
      })
    }
    target.store(word, value)
  },
})
