import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overrideWarnings } from '../../../../pipelines/formats/deb/warning-overrides.ts';
import type { LintRemark } from '../../../../pipelines/model/lint.ts';

const remark: LintRemark = {
  package: 'foo-data',
  severity: 'error',
  tag: 'undefined-substitution-variable',
  detail: `Depends field of package foo-data: substitution variable \${no:Such} used, but is not defined`,
};
const other: LintRemark = { ...remark, package: 'foo' };
const severities = (list: string, remarks: readonly LintRemark[] = [remark, other]) =>
  overrideWarnings(remarks, list).map(({ severity, tag }) => (tag === remark.tag ? severity : tag));

test('P16: what the maintainer accepts by name, by tag, or by a pattern is no error any more', () => {
  const both = ['overridden', 'overridden'];
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['', ['error', 'error']],
    ['# a word\n\n', ['error', 'error']],
    ['undefined-substitution-variable', both],
    ['  foo-data: undefined-substitution-variable\r\n', ['overridden', 'error']],
    [`undefined-substitution-variable *\${no:Such}*`, both],
    [`foo-data: undefined-substitution-variable ${remark.detail}`, ['overridden', 'error']],
    [`undefined-substitution-variable Depends  field *foo-data*not defined`, both],
  ];
  for (const [list, expected] of cases) assert.deepEqual(severities(list), expected, list);
});

test('P16: an override that fits nothing, and a line that is none, are named with their line', () => {
  const list = `# one\nfoo: unused-substitution-variable\nundefined-substitution-variable \${no:Such}\n`;
  const unused = ['unused-dpkg-override', 'unused-dpkg-override'];
  assert.deepEqual(severities(list), ['error', 'error', ...unused]);
  const told = overrideWarnings([remark], '\nFoo Bar!: x\n').at(-1);
  assert.equal(told?.severity, 'error');
  assert.deepEqual(told?.place, { file: 'debian/dpkg-overrides', line: 2 });
  assert.equal(told?.detail, 'debian/dpkg-overrides:2: "Foo Bar!: x" is not "[PACKAGE: ]TAG[ DETAIL]"');
});

test('P16: a pattern of many stars is soon judged', () => {
  const long = { ...remark, detail: 'a'.repeat(100_000) };
  const list = `undefined-substitution-variable ${'*a'.repeat(5_000)}*b`;
  assert.deepEqual(severities(list, [long]), ['error', 'unused-dpkg-override']);
});
