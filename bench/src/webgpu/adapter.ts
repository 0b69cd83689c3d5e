// The adapter that is measured, or counted: the machine's own, else one in software.
import { PlacementError } from '@shoal/core'
import { webgpu } from '@shoal/kernels-webgpu'
import { offerSoftwareGpu } from '@shoal/platforms/softwareGpu'

/** What is told of an adapter. */
export interface Adapter {
  /** Its maker and its kind, such as 'google swiftshader'. */
  readonly name: string
  /** The name with all that the driver says of itself. */
  readonly description: string
  /** Its times say nothing of a GPU's. */
  readonly software: boolean
  readonly timestamps: boolean
}

/** The adapter on which this process computes from now on; undefined, with a line that says why, where there is none. */
export async function findAdapter(): Promise<Adapter | undefined> {
  try {
    return await opened()
  } catch (error) {
    if (!(error instanceof PlacementError)) throw error
  }
  offerSoftwareGpu()
  try {
    return await opened()
  } catch (error) {
    if (!(error instanceof PlacementError)) throw error
    console.log(`Nothing is measured on webgpu: ${error.message}`)
    return undefined
  }
}

async function opened(): Promise<Adapter> {
  await using device = await webgpu()
  const { vendor, architecture, device: model, description, isFallbackAdapter } = device.adapterInfo
  const name = `${vendor} ${architecture}`
  return {
    name,
    description: [name, model, description].filter(Boolean).join(', '),
    software: isFallbackAdapter,
    timestamps: device.features.has('timestamp-query'),
  }
}
