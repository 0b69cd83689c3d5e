import { deviceSuite } from '@shoal/conformance/suites'
import { fixedSize } from '@shoal/core'
import { cpu } from './cpu.ts'

deviceSuite('cpu', () => cpu(), { dtypes: fixedSize })
deviceSuite('cpu, strict', () => cpu({ strict: true }), { dtypes: fixedSize })
deviceSuite('cpu, 4 threads', () => cpu({ threads: 4 }), { dtypes: fixedSize })
