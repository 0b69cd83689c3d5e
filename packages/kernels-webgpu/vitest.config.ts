// Tested as every package is, on a GPU in software where no driver is named: Debian's Chromium brings one.
import { existsSync } from 'node:fs'

const softwareDriver = '/usr/lib/chromium/vk_swiftshader_icd.json'
// Threads get a copy of the environment, which drivers do not see: it is set where the process begins.
if (existsSync(softwareDriver)) process.env['VK_ICD_FILENAMES'] ??= softwareDriver

export { default } from '../../vitest.shared.ts'
