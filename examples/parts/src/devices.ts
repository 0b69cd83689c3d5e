// The device that an example was asked to run on.
import type { Device } from '@shoal/core'
import { reference, ValueError } from '@shoal/core'
import { cpu } from '@shoal/kernels-cpu'
import type { CommonArguments } from './arguments.ts'

/** The device of `--device`, with the threads of `--threads`. @throws ValueError for a name that is neither cpu nor reference. */
export function chooseDevice({ device, threads }: Pick<CommonArguments, 'device' | 'threads'>): Device {
  if (device === 'cpu') return cpu({ threads })
  if (device === 'reference') return reference()
  throw new ValueError(`--device is cpu or reference, not '${device}'`)
}
