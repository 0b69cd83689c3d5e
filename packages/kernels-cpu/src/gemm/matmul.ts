// A matrix product in the form that suits its shape: sums of rows, dot products, or panels.
import type { ModuleBuilder } from '../wasm/index.ts'
import { planAxpy, shallow, writeAxpy } from './axpy.ts'
import { planDot, writeDot } from './dot.ts'
import { writePackB, writePanels } from './panels.ts'
import { planPanels } from './plan.ts'
import {
  type MatmulOptions,
  type MatmulSpec,
  type Product,
  productOf,
  type ProductFunction,
  type ProductStage,
  parameters,
} from './product.ts'
import { call } from '../wasm/index.ts'

/** A product that is ready to be written. */
export interface Matmul {
  /** Memory that stages use between each other; align it to 64. */
  readonly workspaceBytes: number
  /** Equal for products that are written the same. */
  readonly key: string
  /** Writes its stages into a module; an equal product is written once. */
  readonly write: (module: ModuleBuilder) => readonly ProductStage[]
  /** What is to be made of a constant B, where it pays: at every call it is given in the place of B. */
  readonly prepared?: {
    readonly bytes: number
    /** Writes the stage that makes it, in the memory given as the workspace. */
    readonly write: (module: ModuleBuilder) => ProductStage
  }
}

/**
 * Shapes whose rows of C are summed out of rows of B as they lie: hardly any steps of k, or few rows that are
 * long enough (one or two rows need not be).
 */
const suitsAxpy = ({ m, n, k, transposeB }: Product) =>
  !transposeB && (k <= shallow || m <= 2 || (m <= fewRows && n >= 64))

/** Shapes whose rows of A and B meet as they lie: few rows, long enough for their sums to be worth adding up, and short enough to stay in the first cache. */
const suitsDot = ({ m, k, transposeA, transposeB }: Product) =>
  transposeB && !transposeA && (m <= 2 || (m <= fewRows && k >= 64 && k <= 1024))

const fewRows = 32

/** Plans a product. */
export function planMatmul(spec: MatmulSpec, options: MatmulOptions): Matmul {
  const product = productOf(spec)
  const { relaxed } = options
  const named = (form: unknown) =>
    `matmul ${JSON.stringify([{ ...product, element: product.element.name }, relaxed, form])}`
  if (suitsAxpy(product)) {
    const plan = planAxpy(product, options)
    return vectors(product, named(plan), (module) => writeAxpy(module, product, plan, relaxed))
  }
  if (suitsDot(product)) {
    const plan = planDot(product, options)
    return vectors(product, named(plan), (module) => writeDot(module, product, plan, relaxed))
  }
  const plan = planPanels(product, options)
  const key = named(plan)
  return {
    workspaceBytes: plan.workspaceBytes,
    key,
    write: (module) => module.once(key, () => writePanels(module, product, plan, relaxed)),
    ...(plan.preparedBytes > 0 && {
      prepared: {
        bytes: plan.preparedBytes,
        write: (module) => module.once(`${key} B`, () => writePackB(module, product, plan)),
      },
    }),
  }
}

/** A product in one stage, in a form that may have changed A and B for each other. */
function vectors(product: Product, key: string, write: (module: ModuleBuilder) => ProductStage): Matmul {
  return {
    workspaceBytes: 0,
    key,
    write: (module) =>
      module.once(key, () => {
        const stage = write(module)
        return [product.swapped ? { ...stage, func: swapOperands(module, stage.func) } : stage]
      }),
  }
}

/** The same function with A and B in each other's place. */
const swapOperands = (module: ModuleBuilder, func: ProductFunction): ProductFunction =>
  module.define(`${func.name}_swapped`, parameters, 'none', (f, a, b, c, workspace, begin, end) =>
    f.do(call(func, b, a, c, workspace, begin, end)),
  )
