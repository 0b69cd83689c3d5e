// The process that asks for a GPU, apart from the one that examines: a driver may end it. Prints what it was given as a line of JSON.
import { PlacementError } from '@shoal/core'
import { webgpu } from '@shoal/kernels-webgpu'

async function look(): Promise<{
  readonly adapter?: string
  readonly software?: boolean
  readonly problem?: string
}> {
  try {
    await using device = await webgpu()
    const { vendor, architecture, description, isFallbackAdapter } = device.adapterInfo
    const adapter = (description || `${vendor} ${architecture}`.trim() || 'unnamed adapter').slice(0, 200)
    return { adapter, software: isFallbackAdapter }
  } catch (error) {
    if (error instanceof PlacementError) return { problem: error.message }
    throw error
  }
}

console.log(JSON.stringify(await look()))
