// Ops on strings.
import * as s from '@shoal/core'
import { opCase } from '../case.ts'
import { values } from '../inputs.ts'

/** All cases of string ops. */
export const textCases = [
  opCase({
    op: 'StringToHashBucket',
    name: "FNV-1a's published values",
    inputs: { x: values(['', 'a', 'foobar']) },
    build: ({ x }) => [
      s.stringToHashBucket(x, { buckets: 2 ** 31 }),
      s.stringToHashBucket(x, { buckets: 10 }),
    ],
    // cbf29ce484222325, af63dc4c8601ec8c and 85944171f73967e8 (draft-eastlake-fnv, appendix C).
    expect: [
      [0xcbf29ce484222325n, 0xaf63dc4c8601ec8cn, 0x85944171f73967e8n].map((hash) => hash % 2n ** 31n),
      [0xcbf29ce484222325n, 0xaf63dc4c8601ec8cn, 0x85944171f73967e8n].map((hash) => hash % 10n),
    ],
  }),
  opCase({
    op: 'VocabularyLookup',
    name: 'known and unknown words',
    inputs: {
      x: values([
        ['b', 'a'],
        ['foobar', 'c'],
      ]),
    },
    build: ({ x }) => [
      s.vocabularyLookup(x, { vocabulary: ['a', 'b', 'c'] }),
      s.vocabularyLookup(x, { vocabulary: ['a', 'b', 'c'], unknown: 0 }),
      s.vocabularyLookup(x, { vocabulary: ['a', 'b', 'c'], oovBuckets: 7 }),
    ],
    expect: [
      [
        [1n, 0n],
        [-1n, 2n],
      ],
      [
        [1n, 0n],
        [0n, 2n],
      ],
      [
        [1n, 0n],
        [3n + (0x85944171f73967e8n % 7n), 2n],
      ],
    ],
  }),
  opCase({
    op: 'VocabularyValue',
    name: 'positions in and beyond the vocabulary',
    inputs: { x: values([1, 5, -1, 0], 'int32') },
    build: ({ x }) => [
      s.vocabularyValue(x, { vocabulary: ['a', 'b'] }),
      s.vocabularyValue(x, { vocabulary: ['a', 'b'], unknown: '' }),
    ],
    expect: [
      ['b', '[UNK]', '[UNK]', 'a'],
      ['b', '', '', 'a'],
    ],
  }),
  opCase({
    op: 'StringLower',
    name: 'beyond ASCII',
    inputs: { x: values(['ÄB', 'c1']) },
    build: ({ x }) => s.stringLower(x),
    expect: ['äb', 'c1'],
  }),
  opCase({
    op: 'StringUpper',
    name: 'beyond ASCII',
    inputs: { x: values(['äb', 'C1']) },
    build: ({ x }) => s.stringUpper(x),
    expect: ['ÄB', 'C1'],
  }),
  opCase({
    op: 'StringStrip',
    name: 'both ends',
    inputs: { x: values([' a b\n', '\t', 'c']) },
    build: ({ x }) => s.stringStrip(x),
    expect: ['a b', '', 'c'],
  }),
  opCase({
    op: 'StringLength',
    name: 'bytes and characters',
    inputs: { x: values(['abc', 'é', '🐟', '']) },
    build: ({ x }) => [s.stringLength(x), s.stringLength(x, { unit: 'character' })],
    expect: [
      [3, 2, 4, 0],
      [3, 1, 1, 0],
    ],
  }),
  opCase({
    op: 'Substr',
    name: 'from either end, in bytes and in characters',
    inputs: { x: values(['hello', 'é🐟xyz']) },
    build: ({ x }) => [
      s.substr(x, { position: 1, length: 3, unit: 'character' }),
      s.substr(x, { position: -2, length: 9 }),
    ],
    expect: [
      ['ell', '🐟xy'],
      ['lo', 'yz'],
    ],
  }),
  opCase({
    op: 'RegexReplace',
    name: 'groups, the first match only',
    inputs: { x: values(['one two', 'a1b22', '']) },
    build: ({ x }) => [
      s.regexReplace(x, { pattern: '\\d+', rewrite: '<\\0>' }),
      s.regexReplace(x, { pattern: '(\\w)(\\w)', rewrite: '\\2\\1', all: false }),
    ],
    expect: [
      ['one two', 'a<1>b<22>', ''],
      ['noe two', '1ab22', ''],
    ],
  }),
  opCase({
    op: 'StringToNumber',
    name: 'decimals and whole numbers',
    inputs: { x: values(['1.5', ' -2e3 ', '.25', 'inf']), n: values(['-9223372036854775808', '+7']) },
    build: ({ x, n }) => [s.stringToNumber(x), s.stringToNumber(n, { dtype: 'int64' })],
    expect: [
      [1.5, -2000, 0.25, Infinity],
      [-(2n ** 63n), 7n],
    ],
  }),
  opCase({
    op: 'AsString',
    name: 'of every kind',
    inputs: { x: values([1.5, -2]), n: values([3n, 2n ** 60n]), b: values([true, false]) },
    build: ({ x, n, b }) => [s.asString(x), s.asString(x, { precision: 2 }), s.asString(n), s.asString(b)],
    expect: [
      ['1.5', '-2'],
      ['1.50', '-2.00'],
      ['3', '1152921504606846976'],
      ['true', 'false'],
    ],
    grad: false,
  }),
  opCase({
    op: 'StringJoin',
    name: 'broadcasts',
    inputs: { a: values(['a', 'b']), b: values([['x'], ['y'], ['z']]) },
    build: ({ a, b }) => s.stringJoin([a, b, '!'], { separator: '-' }),
    expect: [
      ['a-x-!', 'b-x-!'],
      ['a-y-!', 'b-y-!'],
      ['a-z-!', 'b-z-!'],
    ],
  }),
  opCase({
    op: 'StringEqual',
    name: 'against one string',
    inputs: { a: values(['a', 'b', 'A']), b: values('a') },
    build: ({ a, b }) => s.stringEqual(a, b),
    expect: [true, false, false],
  }),
  opCase({
    op: 'StringGather',
    name: 'rows by a matrix of indices',
    inputs: {
      x: values([
        ['a', 'b'],
        ['c', 'd'],
      ]),
      i: values(
        [
          [1, 0],
          [1, 1],
        ],
        'int32',
      ),
    },
    build: ({ x, i }) => s.stringGather(x, i),
    expect: [
      [
        ['c', 'd'],
        ['a', 'b'],
      ],
      [
        ['c', 'd'],
        ['c', 'd'],
      ],
    ],
  }),
  opCase({
    op: 'StringSplit',
    name: 'by white space',
    inputs: { x: values(['a b', '', '  c']) },
    build({ x }) {
      const { indices, values: parts, denseShape } = s.stringSplit(x)
      return { indices, parts, denseShape }
    },
    expect: {
      indices: [
        [0n, 0n],
        [0n, 1n],
        [2n, 0n],
      ],
      parts: ['a', 'b', 'c'],
      denseShape: [3n, 2n],
    },
  }),
  opCase({
    op: 'StringSplit',
    name: 'by a separator, with and without empty parts, as a dense matrix',
    inputs: { x: values(['a,,b', 'c']) },
    build: ({ x }) => [
      s.sparseToDense(s.stringSplit(x, { separator: ',' })),
      s.sparseToDense(s.stringSplit(x, { separator: ',', skipEmpty: true })),
    ],
    expect: [
      [
        ['a', '', 'b'],
        ['c', '', ''],
      ],
      [
        ['a', 'b'],
        ['c', ''],
      ],
    ],
  }),
]
