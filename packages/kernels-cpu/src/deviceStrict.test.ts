// The cpu device where every multiplication and every addition is rounded.
import { deviceSuite } from '@shoal/conformance/suites'
import { fixedSize } from '@shoal/core'
import { cpu } from './cpu.ts'

deviceSuite('cpu, strict', () => cpu({ strict: true }), { dtypes: fixedSize, share: 'evens' })
