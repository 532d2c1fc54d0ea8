import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asCode, inMarkdown } from '../../../pipelines/report/markdown.ts';

const log = 'https://ci.example.org/api/builds/b/log?name=build.log';

for (const [says, line, wanted] of [
  [
    'what came out, with a log',
    `- deb FAILURE in 1m 02s: no <a.h> ${log}`,
    `- deb FAILURE in 1m 02s: \`no <a.h>\` ${log}`,
  ],
  ['what came out, without', '- deb SUCCESS in 2s (non-voting): see #1', '- deb SUCCESS in 2s (non-voting): `see #1`'],
  ['an address within', `- deb SUCCESS: a in http://h/r/ ${log}`, `- deb SUCCESS: \`a in http://h/r/\` ${log}`],
  ['nothing', `- deb SUCCESS in 0s ${log}`, `- deb SUCCESS in 0s ${log}`],
  ['a name of another job', '- a/b.c+d-e_f SKIPPED', '- a/b.c+d-e_f SKIPPED'],
  ['backquotes', '- deb FAILURE: `a` and ``b``', '- deb FAILURE: ``` `a` and ``b`` ```'],
  ['a word of its own for the result', '- deb @all <b>', '- `deb @all <b>`'],
  ['a change of a cycle', '- tea:a/b#1 Title of @ada', '- `tea:a/b#1 Title of @ada`'],
  ['a line to paste', '- debian-12: curl -o a http://h/a && b', '- debian-12: `curl -o a http://h/a && b`'],
] as const) {
  test(`I9: Markdown has ${says} to the letter`, () => {
    assert.equal(
      inMarkdown(`*Failed*, says ![us](http://h/i.png).\n\n${line}\n\nSee [here](http://h).`),
      `*Failed*, says ![us](http://h/i.png).\n\n${wanted}\n\nSee [here](http://h).`,
    );
  });
}

test('I9: remarks of jobs and warnings are shown to the letter, and no other line', () => {
  const report = [
    'Note: *mind*',
    '',
    '- deb SUCCESS',
    '',
    'deb: ![a](b)',
    '',
    'Warning: @ada',
    '',
    'Tested on top of a#1,1.',
  ];
  const wanted = report.with(4, 'deb: `![a](b)`').with(6, 'Warning: `@ada`');
  assert.equal(inMarkdown(report.join('\n')), wanted.join('\n'));
});

test('I9: a text of several lines is a block to the letter', () => {
  assert.equal(asCode('a\n```\nb'), '````\na\n```\nb\n````');
});
