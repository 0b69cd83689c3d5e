// What has gone wrong on the GPU, which says so only later: the first cause is kept, and ends the device.
import { DeviceLostError, InternalError } from '@shoal/core'

/** Watches one device. */
export class Health {
  private readonly device: GPUDevice
  private readonly pending = new Set<Promise<void>>()
  private cause: Error | undefined
  /** What follows from a cause that is still to be told, or what nobody asked about. */
  private complaint: Error | undefined
  private closed = false

  constructor(device: GPUDevice) {
    this.device = device
    void device.lost.then(({ message }) => {
      if (!this.closed)
        this.fail(
          new DeviceLostError(
            `the GPU was lost (${message || 'it was destroyed'}): what its memory held is gone. Close the session, open a device and a session anew, and restore variables from a checkpoint`,
          ),
        )
    })
    device.addEventListener('uncapturederror', ({ error }) => {
      this.complaint ??= new InternalError(`WebGPU: ${error.message}`)
    })
  }

  /** What has ended the device, if anything has. */
  get failure(): Error | undefined {
    return this.cause ?? this.complaint
  }

  /** From here on the device may be destroyed. */
  close(): void {
    this.closed = true
  }

  /** Does something with the GPU; should it turn out later that it failed, the device fails with what `describe` makes of it. */
  during<T>(kind: GPUErrorFilter, work: () => T, describe: (error: GPUError) => Error): T {
    const { device } = this
    device.pushErrorScope(kind)
    const result = work()
    const checked: Promise<void> = device
      .popErrorScope()
      .then(
        (error) => error && this.fail(describe(error)),
        // A lost device says so itself.
        () => undefined,
      )
      .then(() => void this.pending.delete(checked))
    this.pending.add(checked)
    return result
  }

  /** The cause of an error that followed from something: it may be told only a moment later. */
  async causeOf(error: unknown): Promise<unknown> {
    await Promise.all(this.pending)
    if (!this.failure)
      await Promise.race([this.device.lost, new Promise((resolve) => setTimeout(resolve, 1000))])
    return this.failure ?? error
  }

  private fail(error: Error): void {
    this.cause ??= error
  }
}
