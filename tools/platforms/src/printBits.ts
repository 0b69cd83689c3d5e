// Prints the bits of a training run when they are equal for 1, 2 and 4 threads: one line, for whoever compares engines.
import { bits } from './bits.ts'

const answers = [await bits(1), await bits(2), await bits(4)]
console.log([...new Set(answers)].join(' differs from '))
process.exitCode = new Set(answers).size === 1 ? 0 : 1
