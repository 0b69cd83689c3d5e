// The same bits under another dtype.
import { dtypes, fixedSize } from '../../dtype.ts'
import { AttrError } from '../../errors.ts'
import { attr, defineOp } from '../../op.ts'

/** The bits of x read as another dtype of the same number of bytes. @throws AttrError when the sizes differ. */
export const bitcast = defineOp({
  name: 'Bitcast',
  doc: 'The bits of x read as another dtype of the same number of bytes.',
  inputs: ['x'],
  dtypes: [fixedSize],
  attrs: { to: attr.dtype('the dtype of the result') },
  infer: ([x], { to }) => {
    if (dtypes[to].bytes !== dtypes[x.dtype].bytes)
      throw new AttrError(
        `${x.dtype} has ${dtypes[x.dtype].bytes} bytes and ${to} ${dtypes[to].bytes}: choose one of the same number`,
      )
    return [{ dtype: to, shape: x.shape }]
  },
  grad: (): [null] => [null],
  body: { kind: 'kernel' },
})
