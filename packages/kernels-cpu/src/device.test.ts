// The cpu device as it comes, on the calling thread alone.
import { deviceSuite } from '@shoal/conformance/suites'
import { fixedSize } from '@shoal/core'
import { cpu } from './cpu.ts'

deviceSuite('cpu', () => cpu(), { dtypes: fixedSize })
