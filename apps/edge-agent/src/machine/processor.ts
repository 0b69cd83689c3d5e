// What a machine is called: for people, and to know it again.
import { cpus } from 'node:os'
import type { SystemFiles } from './systemFiles.ts'

/** `Raspberry Pi 5 Model B Rev 1.0 (Cortex-A76)`: the board where the firmware names it, and the processor where the system does. */
export function processorName(files: SystemFiles): string {
  const processor = cpus()[0]?.model.trim() ?? ''
  const known = processor === '' || processor === 'unknown' ? '' : processor
  const board = files.text('proc/device-tree/model')
  const name = board && known ? `${board} (${known})` : board || known || `${process.arch} processor`
  return name.slice(0, 200)
}
