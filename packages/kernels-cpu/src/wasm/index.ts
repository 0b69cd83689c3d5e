// The assembler, whole: instructions make values, a FunctionBuilder takes them as statements, a ModuleBuilder makes the bytes.
export { features } from './features.ts'
export type { FunctionBuilder, Local } from './function.ts'
export { atomic, memory } from './memory.ts'
export { ModuleBuilder } from './module.ts'
export { f32, f64, i32, i64 } from './scalar.ts'
export { f32x4, f64x2, i16x8, i32x4, i64x2, i8x16, v128 } from './simd.ts'
export {
  AssemblerError,
  call,
  type Func,
  type Operand,
  type ResultType,
  select,
  type Value,
} from './value.ts'
