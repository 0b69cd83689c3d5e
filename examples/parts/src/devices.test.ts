import { PlacementError, reference, ValueError } from '@shoal/core'
import { webgpu } from '@shoal/kernels-webgpu'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { chooseDevices, openDevice } from './devices.ts'

// Whether there is a GPU differs from machine to machine.
vi.mock('@shoal/kernels-webgpu', () => ({ webgpu: vi.fn<typeof webgpu>() }))
afterEach(() => vi.restoreAllMocks())

const types = async (device: string) => (await chooseDevices({ device, threads: 1 })).map(({ type }) => type)

/** The exit code and what was printed when devices are chosen in vain. */
async function refusal(device: string) {
  const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never)
  const print = vi.spyOn(console, 'error').mockImplementation(() => {})
  await chooseDevices({ device, threads: 1 })
  return { code: exit.mock.calls[0]?.[0], printed: print.mock.calls.flat().join('\n') }
}

describe('chooseDevices', () => {
  it('answers the device that is named', async () => {
    expect(await types('cpu')).toEqual(['cpu'])
    expect(await types('reference')).toEqual(['reference'])
  })

  it('has the cpu behind a GPU', async () => {
    vi.mocked(webgpu).mockResolvedValue(Object.assign(reference(), { type: 'webgpu' }) as never)
    expect(await types('webgpu')).toEqual(['webgpu', 'cpu'])
  })

  it('says what is missing, and ends with 2', async () => {
    vi.mocked(webgpu).mockRejectedValue(new PlacementError('there is no adapter'))
    expect(await refusal('webgpu')).toEqual({ code: 2, printed: '--device webgpu: there is no adapter' })
    expect(await refusal('tpu')).toMatchObject({
      code: 2,
      printed: expect.stringContaining('cpu, webgpu or reference') as string,
    })
  })

  it('throws on what is nobody’s choice', async () => {
    vi.mocked(webgpu).mockRejectedValue(new TypeError('a fault'))
    await expect(chooseDevices({ device: 'webgpu', threads: 1 })).rejects.toThrow(TypeError)
  })
})

describe('openDevice', () => {
  it('throws for a name that it does not know', async () => {
    await expect(openDevice('tpu', 1)).rejects.toThrow(ValueError)
  })
})
