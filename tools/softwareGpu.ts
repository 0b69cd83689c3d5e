// A GPU in software for programs that need one and find none: that of Debian's Chromium, as a Vulkan driver.
import { existsSync } from 'node:fs'

const driver = '/usr/lib/chromium/vk_swiftshader_icd.json'

/**
 * Has this process, and those that it starts, take the software GPU, unless a driver is named or the machine has one of its own. To be called on the
 * main thread: others have a copy of the environment, which drivers do not see.
 */
export function offerSoftwareGpu(): void {
  if (!existsSync('/dev/dri') && existsSync(driver)) process.env['VK_ICD_FILENAMES'] ??= driver
}
