// Moves work to where it costs less: transposes into matrix products and towards each other, factors into filters, biases to their convolution.
import type { Pass } from './pass.ts'
import { movingRules } from './rules/moving.ts'
import { productRules } from './rules/products.ts'
import { rulePass } from './rules/rule.ts'

/** Absorbs and cancels transposes, makes one product of a sum of products, and moves factors and biases next to the convolution that they belong to. Values keep within rounding. */
export const layout: Pass = rulePass('layout', [...movingRules, ...productRules])
