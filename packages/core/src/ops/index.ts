// Written by tools/generateOps.ts: the public names of all op files, and the list of all ops.
import type { AnyOp } from '../op.ts'
import { putAlongAxis, takeAlongAxis } from './array/alongAxis.ts'
import { bitcast } from './array/bitcast.ts'
import { broadcastLike, broadcastTo } from './array/broadcastTo.ts'
import { concat } from './array/concat.ts'
import { band, diag, diagPart, setDiag, spreadDiagonalDef } from './array/diagonal.ts'
import { expandDims, squeeze } from './array/expandDims.ts'
import { eye } from './array/eye.ts'
import { fill, fillLike } from './array/fill.ts'
import { gather, gatherBack } from './array/gather.ts'
import { gatherNd } from './array/gatherNd.ts'
import { indexLike } from './array/indexLike.ts'
import { iota } from './array/iota.ts'
import { linspace } from './array/linspace.ts'
import { mirrorPadBack } from './array/mirrorPadBack.ts'
import { oneHot } from './array/oneHot.ts'
import { pad } from './array/pad.ts'
import { reshape, reshapeLike } from './array/reshape.ts'
import { reverse } from './array/reverse.ts'
import { roll } from './array/roll.ts'
import { searchSorted } from './array/searchSorted.ts'
import { shapeOf, size } from './array/shapeOf.ts'
import { cutLike, padLike, slice } from './array/slice.ts'
import { partLike, sliceLike } from './array/sliceLike.ts'
import { sortWithIndices } from './array/sort.ts'
import { stridedPut, stridedPutLike, stridedSlice } from './array/stridedSlice.ts'
import { tensorScatter } from './array/tensorScatter.ts'
import { tile, tileBack } from './array/tile.ts'
import { topK } from './array/topK.ts'
import { transpose } from './array/transpose.ts'
import { unique } from './array/unique.ts'
import { argWhere } from './array/where.ts'
import { constant } from './constant.ts'
import { callDef } from './control/call.ts'
import { caseDef } from './control/caseOf.ts'
import { scanDef } from './control/scan.ts'
import { whileDef } from './control/whileLoop.ts'
import { assertDef } from './debug/assertThat.ts'
import { checkNumericsDef } from './debug/checkNumerics.ts'
import { print } from './debug/print.ts'
import { blank } from './graph/blank.ts'
import { groupDef } from './graph/group.ts'
import { identity, stopGradient } from './graph/identity.ts'
import { parameter } from './graph/parameter.ts'
import { placeholder } from './graph/placeholder.ts'
import { recv, send } from './graph/sendRecv.ts'
import { cholesky } from './linalg/cholesky.ts'
import { determinant, logDeterminant } from './linalg/determinant.ts'
import { eigh } from './linalg/eigh.ts'
import { einsum } from './linalg/einsum.ts'
import { inverse } from './linalg/inverse.ts'
import { lstsq } from './linalg/lstsq.ts'
import { matmul } from './linalg/matmul.ts'
import { qr } from './linalg/qr.ts'
import { solve } from './linalg/solve.ts'
import { svd } from './linalg/svd.ts'
import { triangularSolve } from './linalg/triangularSolve.ts'
import { ctcLossDef } from './loss/ctcLoss.ts'
import { abs } from './math/abs.ts'
import { acos } from './math/acos.ts'
import { acosh } from './math/acosh.ts'
import { add } from './math/add.ts'
import { asin } from './math/asin.ts'
import { asinh } from './math/asinh.ts'
import { atan } from './math/atan.ts'
import { atan2 } from './math/atan2.ts'
import { atanh } from './math/atanh.ts'
import { bitwiseAnd } from './math/bitwiseAnd.ts'
import { bitwiseNot } from './math/bitwiseNot.ts'
import { bitwiseOr } from './math/bitwiseOr.ts'
import { bitwiseXor } from './math/bitwiseXor.ts'
import { cast } from './math/cast.ts'
import { cbrt } from './math/cbrt.ts'
import { ceil } from './math/ceil.ts'
import { clip } from './math/clip.ts'
import { cos } from './math/cos.ts'
import { cosh } from './math/cosh.ts'
import { digamma } from './math/digamma.ts'
import { div } from './math/div.ts'
import { divNoNan } from './math/divNoNan.ts'
import { equal } from './math/equal.ts'
import { erf } from './math/erf.ts'
import { erfc } from './math/erfc.ts'
import { erfinv } from './math/erfinv.ts'
import { exp } from './math/exp.ts'
import { exp2 } from './math/exp2.ts'
import { expm1 } from './math/expm1.ts'
import { floor } from './math/floor.ts'
import { floorDiv } from './math/floorDiv.ts'
import { floorMod } from './math/floorMod.ts'
import { greater } from './math/greater.ts'
import { greaterEqual } from './math/greaterEqual.ts'
import { hypot } from './math/hypot.ts'
import { isFinite } from './math/isFinite.ts'
import { isInf } from './math/isInf.ts'
import { isNaN } from './math/isNaN.ts'
import { leftShift } from './math/leftShift.ts'
import { less } from './math/less.ts'
import { lessEqual } from './math/lessEqual.ts'
import { lgamma } from './math/lgamma.ts'
import { log } from './math/log.ts'
import { log10 } from './math/log10.ts'
import { log1p } from './math/log1p.ts'
import { log2 } from './math/log2.ts'
import { logicalAnd } from './math/logicalAnd.ts'
import { logicalNot } from './math/logicalNot.ts'
import { logicalOr } from './math/logicalOr.ts'
import { logicalXor } from './math/logicalXor.ts'
import { maximum } from './math/maximum.ts'
import { minimum } from './math/minimum.ts'
import { mul } from './math/mul.ts'
import { mulNoNan } from './math/mulNoNan.ts'
import { nanToNum } from './math/nanToNum.ts'
import { neg } from './math/neg.ts'
import { notEqual } from './math/notEqual.ts'
import { polygamma } from './math/polygamma.ts'
import { pow } from './math/pow.ts'
import { reciprocal } from './math/reciprocal.ts'
import { rightShift } from './math/rightShift.ts'
import { round } from './math/round.ts'
import { rsqrt } from './math/rsqrt.ts'
import { select } from './math/select.ts'
import { sigmoid } from './math/sigmoid.ts'
import { sign } from './math/sign.ts'
import { sin } from './math/sin.ts'
import { sinh } from './math/sinh.ts'
import { softplus } from './math/softplus.ts'
import { softsign } from './math/softsign.ts'
import { sqrt } from './math/sqrt.ts'
import { square } from './math/square.ts'
import { squaredDifference } from './math/squaredDifference.ts'
import { sub } from './math/sub.ts'
import { tan } from './math/tan.ts'
import { tanh } from './math/tanh.ts'
import { trunc } from './math/trunc.ts'
import { truncDiv } from './math/truncDiv.ts'
import { truncMod } from './math/truncMod.ts'
import { xlog1py } from './math/xlog1py.ts'
import { xlogy } from './math/xlogy.ts'
import { conv, convBackpropFilter, convBackpropInput } from './nn/conv.ts'
import { convTranspose } from './nn/convTranspose.ts'
import { elu, selu } from './nn/elu.ts'
import { gelu } from './nn/gelu.ts'
import { hardSigmoid, hardSwish } from './nn/hardSigmoid.ts'
import { leakyRelu } from './nn/leakyRelu.ts'
import { mish } from './nn/mish.ts'
import { avgPoolGrad, avgPoolOp, maxPoolGrad, maxPoolGradGrad, maxPoolOp } from './nn/pool.ts'
import { prelu } from './nn/prelu.ts'
import { relu } from './nn/relu.ts'
import { relu6 } from './nn/relu6.ts'
import { resizeBack, resizeBilinear, resizeNearest, resizeParts } from './nn/resize.ts'
import { silu } from './nn/silu.ts'
import { logSoftmax, softmax } from './nn/softmax.ts'
import { foldIn, keyOfWordsDef, randomBits, randomBitsLike, threefryDef } from './random/randomBits.ts'
import { randomKeyDef } from './random/randomKey.ts'
import { all } from './reduce/all.ts'
import { any } from './reduce/any.ts'
import { argMax } from './reduce/argMax.ts'
import { argMin } from './reduce/argMin.ts'
import { cumulative } from './reduce/cumulative.ts'
import { keepReducedDef } from './reduce/keepReduced.ts'
import { logSumExp } from './reduce/logSumExp.ts'
import { max } from './reduce/max.ts'
import { mean } from './reduce/mean.ts'
import { min } from './reduce/min.ts'
import { euclideanNorm } from './reduce/norm.ts'
import { prod } from './reduce/prod.ts'
import { segmentOps } from './reduce/segment.ts'
import { sum } from './reduce/sum.ts'
import { sumLike } from './reduce/sumLike.ts'
import { sparseDenseOps } from './sparse/sparseDense.ts'
import { sparseSortDef } from './sparse/sparseReorder.ts'
import { sparseSliceDef } from './sparse/sparseSlice.ts'
import { mutexOps } from './state/mutex.ts'
import { queueOps } from './state/queue.ts'
import { variableOps } from './state/variable.ts'
import { stringLower, stringStrip, stringUpper } from './text/stringCase.ts'
import { stringGather } from './text/stringGather.ts'
import { stringEqual, stringJoin } from './text/stringJoin.ts'
import { stringSplitDef } from './text/stringSplit.ts'
import { stringToHashBucket } from './text/stringToHashBucket.ts'
import { asString, stringToNumber } from './text/stringToNumber.ts'
import { stringLength, substr } from './text/substr.ts'
import { vocabularyLookup, vocabularyValue } from './text/vocabularyLookup.ts'

export * from './array/alongAxis.ts'
export * from './array/bitcast.ts'
export * from './array/broadcastTo.ts'
export * from './array/concat.ts'
export * from './array/diagonal.ts'
export * from './array/expandDims.ts'
export * from './array/eye.ts'
export * from './array/fill.ts'
export * from './array/gather.ts'
export * from './array/gatherNd.ts'
export * from './array/indexLike.ts'
export * from './array/iota.ts'
export * from './array/linspace.ts'
export * from './array/mirrorPadBack.ts'
export * from './array/oneHot.ts'
export * from './array/pad.ts'
export * from './array/reshape.ts'
export * from './array/reverse.ts'
export * from './array/reverseSequence.ts'
export * from './array/roll.ts'
export * from './array/scatterNd.ts'
export * from './array/searchSorted.ts'
export * from './array/shapeOf.ts'
export * from './array/slice.ts'
export * from './array/sliceLike.ts'
export * from './array/sort.ts'
export * from './array/space.ts'
export * from './array/split.ts'
export * from './array/stack.ts'
export * from './array/stridedSlice.ts'
export * from './array/subscript.ts'
export * from './array/tensorScatter.ts'
export * from './array/tile.ts'
export * from './array/topK.ts'
export * from './array/transpose.ts'
export * from './array/unique.ts'
export * from './array/where.ts'
export * from './constant.ts'
export * from './control/call.ts'
export * from './control/caseOf.ts'
export * from './control/differentiable.ts'
export * from './control/scan.ts'
export * from './control/whileLoop.ts'
export * from './debug/assertThat.ts'
export * from './debug/checkNumerics.ts'
export * from './debug/hostFunction.ts'
export * from './debug/print.ts'
export * from './graph/blank.ts'
export * from './graph/group.ts'
export * from './graph/identity.ts'
export * from './graph/parameter.ts'
export * from './graph/placeholder.ts'
export * from './graph/sendRecv.ts'
export * from './linalg/cholesky.ts'
export * from './linalg/determinant.ts'
export * from './linalg/eigh.ts'
export * from './linalg/einsum.ts'
export * from './linalg/inverse.ts'
export * from './linalg/lstsq.ts'
export * from './linalg/matmul.ts'
export * from './linalg/products.ts'
export * from './linalg/qr.ts'
export * from './linalg/solve.ts'
export * from './linalg/svd.ts'
export * from './linalg/triangularSolve.ts'
export * from './loss/crossEntropy.ts'
export * from './loss/ctcLoss.ts'
export * from './loss/losses.ts'
export * from './loss/reduction.ts'
export * from './math/abs.ts'
export * from './math/acos.ts'
export * from './math/acosh.ts'
export * from './math/add.ts'
export * from './math/aliases.ts'
export * from './math/asin.ts'
export * from './math/asinh.ts'
export * from './math/atan.ts'
export * from './math/atan2.ts'
export * from './math/atanh.ts'
export * from './math/bitwiseAnd.ts'
export * from './math/bitwiseNot.ts'
export * from './math/bitwiseOr.ts'
export * from './math/bitwiseXor.ts'
export * from './math/cast.ts'
export * from './math/cbrt.ts'
export * from './math/ceil.ts'
export * from './math/clip.ts'
export * from './math/cos.ts'
export * from './math/cosh.ts'
export * from './math/digamma.ts'
export * from './math/div.ts'
export * from './math/divNoNan.ts'
export * from './math/equal.ts'
export * from './math/erf.ts'
export * from './math/erfc.ts'
export * from './math/erfinv.ts'
export * from './math/exp.ts'
export * from './math/exp2.ts'
export * from './math/expm1.ts'
export * from './math/floor.ts'
export * from './math/floorDiv.ts'
export * from './math/floorMod.ts'
export * from './math/greater.ts'
export * from './math/greaterEqual.ts'
export * from './math/hypot.ts'
export * from './math/isFinite.ts'
export * from './math/isInf.ts'
export * from './math/isNaN.ts'
export * from './math/leftShift.ts'
export * from './math/less.ts'
export * from './math/lessEqual.ts'
export * from './math/lgamma.ts'
export * from './math/linear.ts'
export * from './math/log.ts'
export * from './math/log10.ts'
export * from './math/log1p.ts'
export * from './math/log2.ts'
export * from './math/logicalAnd.ts'
export * from './math/logicalNot.ts'
export * from './math/logicalOr.ts'
export * from './math/logicalXor.ts'
export * from './math/maximum.ts'
export * from './math/minimum.ts'
export * from './math/mul.ts'
export * from './math/mulNoNan.ts'
export * from './math/nanToNum.ts'
export * from './math/neg.ts'
export * from './math/notEqual.ts'
export * from './math/polygamma.ts'
export * from './math/pow.ts'
export * from './math/reciprocal.ts'
export * from './math/rightShift.ts'
export * from './math/round.ts'
export * from './math/rsqrt.ts'
export * from './math/select.ts'
export * from './math/sigmoid.ts'
export * from './math/sign.ts'
export * from './math/sin.ts'
export * from './math/sinh.ts'
export * from './math/softplus.ts'
export * from './math/softsign.ts'
export * from './math/sqrt.ts'
export * from './math/square.ts'
export * from './math/squaredDifference.ts'
export * from './math/sub.ts'
export * from './math/tan.ts'
export * from './math/tanh.ts'
export * from './math/trunc.ts'
export * from './math/truncDiv.ts'
export * from './math/truncMod.ts'
export * from './math/xlog1py.ts'
export * from './math/xlogy.ts'
export * from './nn/attention.ts'
export * from './nn/batchNorm.ts'
export * from './nn/biasAdd.ts'
export * from './nn/conv.ts'
export * from './nn/convTranspose.ts'
export * from './nn/convolutions.ts'
export * from './nn/dropout.ts'
export * from './nn/elu.ts'
export * from './nn/embedding.ts'
export * from './nn/gelu.ts'
export * from './nn/glu.ts'
export * from './nn/groupNorm.ts'
export * from './nn/hardSigmoid.ts'
export * from './nn/l2Normalize.ts'
export * from './nn/layerNorm.ts'
export * from './nn/leakyRelu.ts'
export * from './nn/localResponseNormalization.ts'
export * from './nn/mish.ts'
export * from './nn/pool.ts'
export * from './nn/pooling.ts'
export * from './nn/prelu.ts'
export * from './nn/relu.ts'
export * from './nn/relu6.ts'
export * from './nn/resize.ts'
export * from './nn/silu.ts'
export * from './nn/softmax.ts'
export * from './random/initializers.ts'
export * from './random/randomBits.ts'
export * from './random/randomKey.ts'
export * from './random/stateful.ts'
export * from './random/stateless.ts'
export * from './random/threefry.ts'
export * from './reduce/all.ts'
export * from './reduce/any.ts'
export * from './reduce/argMax.ts'
export * from './reduce/argMin.ts'
export * from './reduce/count.ts'
export * from './reduce/cumulative.ts'
export * from './reduce/keepReduced.ts'
export * from './reduce/logSumExp.ts'
export * from './reduce/max.ts'
export * from './reduce/mean.ts'
export * from './reduce/min.ts'
export * from './reduce/moments.ts'
export * from './reduce/norm.ts'
export * from './reduce/prod.ts'
export * from './reduce/segment.ts'
export * from './reduce/sortedSegment.ts'
export * from './reduce/sum.ts'
export * from './reduce/sumLike.ts'
export * from './rnn/basicRnn.ts'
export * from './rnn/bidirectional.ts'
export * from './rnn/gru.ts'
export * from './rnn/lstm.ts'
export * from './sparse/sparseDense.ts'
export * from './sparse/sparseDenseMatmul.ts'
export * from './sparse/sparseReorder.ts'
export * from './sparse/sparseSlice.ts'
export * from './sparse/sparseTensor.ts'
export * from './state/mutex.ts'
export * from './state/queue.ts'
export * from './state/variable.ts'
export * from './text/stringCase.ts'
export * from './text/stringGather.ts'
export * from './text/stringJoin.ts'
export * from './text/stringSplit.ts'
export * from './text/stringToHashBucket.ts'
export * from './text/stringToNumber.ts'
export * from './text/substr.ts'
export * from './text/vocabularyLookup.ts'

/** Every op that comes with Shoal. */
export const standardOps: readonly AnyOp[] = [
  putAlongAxis,
  takeAlongAxis,
  bitcast,
  broadcastLike,
  broadcastTo,
  concat,
  band,
  diag,
  diagPart,
  setDiag,
  spreadDiagonalDef,
  expandDims,
  squeeze,
  eye,
  fill,
  fillLike,
  gather,
  gatherBack,
  gatherNd,
  indexLike,
  iota,
  linspace,
  mirrorPadBack,
  oneHot,
  pad,
  reshape,
  reshapeLike,
  reverse,
  roll,
  searchSorted,
  shapeOf,
  size,
  cutLike,
  padLike,
  slice,
  partLike,
  sliceLike,
  sortWithIndices,
  stridedPut,
  stridedPutLike,
  stridedSlice,
  tensorScatter,
  tile,
  tileBack,
  topK,
  transpose,
  unique,
  argWhere,
  constant,
  callDef,
  caseDef,
  scanDef,
  whileDef,
  assertDef,
  checkNumericsDef,
  print,
  blank,
  groupDef,
  identity,
  stopGradient,
  parameter,
  placeholder,
  recv,
  send,
  cholesky,
  determinant,
  logDeterminant,
  eigh,
  einsum,
  inverse,
  lstsq,
  matmul,
  qr,
  solve,
  svd,
  triangularSolve,
  ctcLossDef,
  abs,
  acos,
  acosh,
  add,
  asin,
  asinh,
  atan,
  atan2,
  atanh,
  bitwiseAnd,
  bitwiseNot,
  bitwiseOr,
  bitwiseXor,
  cast,
  cbrt,
  ceil,
  clip,
  cos,
  cosh,
  digamma,
  div,
  divNoNan,
  equal,
  erf,
  erfc,
  erfinv,
  exp,
  exp2,
  expm1,
  floor,
  floorDiv,
  floorMod,
  greater,
  greaterEqual,
  hypot,
  isFinite,
  isInf,
  isNaN,
  leftShift,
  less,
  lessEqual,
  lgamma,
  log,
  log10,
  log1p,
  log2,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  maximum,
  minimum,
  mul,
  mulNoNan,
  nanToNum,
  neg,
  notEqual,
  polygamma,
  pow,
  reciprocal,
  rightShift,
  round,
  rsqrt,
  select,
  sigmoid,
  sign,
  sin,
  sinh,
  softplus,
  softsign,
  sqrt,
  square,
  squaredDifference,
  sub,
  tan,
  tanh,
  trunc,
  truncDiv,
  truncMod,
  xlog1py,
  xlogy,
  conv,
  convBackpropFilter,
  convBackpropInput,
  convTranspose,
  elu,
  selu,
  gelu,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  mish,
  avgPoolGrad,
  avgPoolOp,
  maxPoolGrad,
  maxPoolGradGrad,
  maxPoolOp,
  prelu,
  relu,
  relu6,
  resizeBack,
  resizeBilinear,
  resizeNearest,
  ...resizeParts,
  silu,
  logSoftmax,
  softmax,
  foldIn,
  keyOfWordsDef,
  randomBits,
  randomBitsLike,
  threefryDef,
  randomKeyDef,
  all,
  any,
  argMax,
  argMin,
  cumulative,
  keepReducedDef,
  logSumExp,
  max,
  mean,
  min,
  euclideanNorm,
  prod,
  ...segmentOps,
  sum,
  sumLike,
  ...sparseDenseOps,
  sparseSortDef,
  sparseSliceDef,
  ...mutexOps,
  ...queueOps,
  ...variableOps,
  stringLower,
  stringStrip,
  stringUpper,
  stringGather,
  stringEqual,
  stringJoin,
  stringSplitDef,
  stringToHashBucket,
  asString,
  stringToNumber,
  stringLength,
  substr,
  vocabularyLookup,
  vocabularyValue,
]
