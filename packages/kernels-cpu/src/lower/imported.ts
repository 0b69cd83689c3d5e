// Scalar functions that WebAssembly lacks, imported from core's table of meanings: every number crosses as a float64, int64 as a bigint.
import type { Binary, DType, Unary } from '@shoal/core'
import { binaryFunction, castFunction, onBigInt, onNumber, unaryFunction } from '@shoal/core/scalars'
import { call, type ModuleBuilder, type Value } from '../wasm/index.ts'
import type { Scalar } from './representation.ts'

/** The name under which modules import these functions. */
export const scalarModule = 'scalar'

type Crossing = 'f64' | 'i64'
const crossing = (dtype: DType): Crossing => (dtype === 'int64' ? 'i64' : 'f64')

/** Calls `op` on numbers of `dtype` that were made float64 (int64 stays); the answer is the same kind. */
export function callImported(
  module: ModuleBuilder,
  op: Unary | Binary,
  dtype: DType,
  operands: readonly Scalar[],
): Value<Crossing> {
  const type = crossing(dtype)
  const func = module.importFunction(
    scalarModule,
    `${op}:${dtype}`,
    operands.map(() => type),
    type,
  )
  return call(func, ...(operands as Value<Crossing>[])) as Value<Crossing>
}

/** Rounds a float64 to half precision, once; the answer is the float64 of the same value. */
export function roundImported(
  module: ModuleBuilder,
  to: 'float16' | 'bfloat16',
  x: Value<'f64'>,
): Value<'f64'> {
  return call(module.importFunction(scalarModule, `cast:${to}`, ['f64'], 'f64'), x)
}

/** What to give a module that imports scalar functions. */
export function scalarImports(
  module: WebAssembly.Module,
): Record<string, (...values: never[]) => number | bigint> {
  const wanted = WebAssembly.Module.imports(module).filter((entry) => entry.module === scalarModule)
  return Object.fromEntries(wanted.map(({ name }) => [name, scalarFunction(name)]))
}

function scalarFunction(name: string): (...values: never[]) => number | bigint {
  const [op, dtype] = name.split(':') as [string, DType]
  if (op === 'cast') return castFunction('float64', dtype)
  if (!Object.hasOwn(onNumber.binary, op)) return unaryFunction(op as Unary, dtype)
  if (dtype !== 'int64') return binaryFunction(op as Binary, dtype)
  return (a: bigint, b: bigint) => BigInt.asIntN(64, onBigInt.binary[op as Binary](a, b))
}
