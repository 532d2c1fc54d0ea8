import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { Literal, variablesText } from '../../../pipelines/playbooks/variables.ts';

const rows: readonly [says: string, variables: Record<string, unknown>, text: string][] = [
  ['nothing', {}, '{}\n'],
  ['a text is quoted, as is its name', { a: 'yes', 'b: c': '{{ d }}' }, '{? "a" : "yes", ? "b: c" : "{{ d }}"}\n'],
  [
    'texts of a literal are marked, wherever they are',
    { a: new Literal(['x', { b: 'y', c: 1 }]) },
    '{? "a" : [!unsafe "x", {? "b" : !unsafe "y", ? "c" : 1}]}\n',
  ],
  [
    'a number keeps being one',
    { a: 1e-7, b: 1e21, c: -2e30, d: 1.5e-9 },
    '{? "a" : 1.0e-7, ? "b" : 1.0e+21, ? "c" : -2.0e+30, ? "d" : 1.5e-9}\n',
  ],
  ['what is not there is left out', { a: undefined, b: null, c: false }, '{? "b" : null, ? "c" : false}\n'],
  [
    'characters that YAML refuses are escaped',
    { a: '\u0000\u007f\u0085\u2028\ufeff' },
    '{? "a" : "\\u0000\\u007f\\u0085\\u2028\\ufeff"}\n',
  ],
];

for (const [says, variables, text] of rows) test(says, () => assert.equal(variablesText(variables), text));

test('plain data is read as it was written', () => {
  const data = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(
    fc.property(data, (variables) => {
      assert.deepEqual(parse(variablesText(variables)), JSON.parse(JSON.stringify(variables)));
    }),
  );
});
