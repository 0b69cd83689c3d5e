// Says the same with less: tables of algebraic rules, applied until none fits.
import { castRules } from './rules/casts.ts'
import { joinRules } from './rules/joins.ts'
import { monotoneRules } from './rules/monotone.ts'
import { neutralRules } from './rules/neutral.ts'
import { powerRules } from './rules/powers.ts'
import { rulePass } from './rules/rule.ts'
import { signRules } from './rules/signs.ts'
import { viewRules } from './rules/views.ts'
import type { Pass } from './pass.ts'

/** Neutral operands, signs, powers, casts, views of views, joined pieces and extremes of monotone functions. Values keep within rounding, and NaN stays NaN. */
export const simplify: Pass = rulePass('simplify', [
  ...neutralRules,
  ...signRules,
  ...powerRules,
  ...castRules,
  ...viewRules,
  ...joinRules,
  ...monotoneRules,
])
