import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  count,
  flag,
  type Guard,
  list,
  maybe,
  nullable,
  number,
  object,
  one,
  record,
  tagged,
  text,
} from '../../workflows/guards.ts';

const rows: [says: string, guard: Guard, value: unknown, fault: string | undefined][] = [
  ['text', text, 'a', undefined],
  ['a number is no text', text, 1, 'it should be text, and is the number 1'],
  ['text with NUL', text, 'a\0', 'it has a NUL character'],
  ['a count', count, 0, undefined],
  ['less than none', count, -1, 'it should be a whole number, and is the number -1'],
  ['a number', number, 1.5, undefined],
  ['no number at all', number, Number.NaN, 'it should be a number, and is the number null'],
  ['a flag', flag, 'true', 'it should be true or false, and is the string "true"'],
  ['one of some', one(['a', 'b']), 'c', 'it should be one of a, b, and is the string "c"'],
  ['a list', list(text), ['a', null], 'it[1] should be text, and is null'],
  ['a list that is none', list(text), { 0: 'a' }, 'it should be a list, and is an object'],
  ['a record', record(count), { a: 1, b: 'x' }, 'it.b should be a whole number, and is the string "x"'],
  ['an object', object({ a: text, b: maybe(flag) }), { a: 'x', more: 1 }, undefined],
  ['a field that is missing', object({ a: object({ b: text }) }), { a: {} }, 'it.a.b should be text, and is missing'],
  ['a list is no object', object({}), [], 'it should be an object, and is a list'],
  ['null, where it may be', nullable(text), null, undefined],
  ['null, where it may not be', maybe(text), null, 'it should be text, and is null'],
  [
    'a kind',
    tagged({ a: object({ n: count }) }),
    { type: 'a', n: 'x' },
    'it.n should be a whole number, and is the string "x"',
  ],
  [
    'an unknown kind',
    tagged({ a: object({}) }),
    { type: 'toString' },
    'it.type should be one of a, and is the string "toString"',
  ],
];
for (const [says, guard, value, fault] of rows) {
  test(`R16: ${says}`, () => assert.equal(guard(value, 'it'), fault));
}
