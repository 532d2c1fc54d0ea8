import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pattern } from '../../../pipelines/language/language.ts';

const matching: readonly [source: string, yes: readonly string[], no: readonly string[]][] = [
  ['stable', ['stable', 'stable/1'], ['unstable']],
  ['^(?!stable/).*$', ['master', ''], ['stable/1']],
  ['^(?!stable/(one|two)$).*', ['stable/three', 'stable/one/x'], ['stable/one', 'stable/two']],
  ['^roles/a/(?!meta).*', ['roles/a/tasks'], ['roles/a/meta/main.yaml', 'roles/b']],
  ['^roles/.*/(?!meta).*', ['roles/a/meta/x', 'roles/a/tasks'], ['roles/meta', 'roles']],
  ['.*(?<!example)\\.yaml', ['a.yaml'], ['example.yaml', 'a.json']],
  ['^(?=.*x)(?!y)', ['ax'], ['yx', 'a']],
  ['(?i)^DOC/(?!x)', ['doc/a', 'Doc/'], ['doc/X', 'a']],
  ['^[(|]a(?!b)', ['(a', '|ac'], ['(ab']],
];
for (const [source, yes, no] of matching) {
  test(`${source} matches from the beginning`, () => {
    const pattern = Pattern.of(source);
    const negated = Pattern.of(source, true);
    assert.deepEqual(
      [...yes, ...no].filter((subject) => pattern.matches(subject)),
      yes,
    );
    assert.deepEqual(
      [...yes, ...no].filter((subject) => negated.matches(subject)),
      no,
    );
  });
}

test('a lookahead is part of a whole match and of a search', () => {
  const others = Pattern.of('^(?!org/a).*$');
  assert.deepEqual(
    ['org/a', 'org/ab', 'org/b'].filter((name) => others.matchesWhole(name)),
    ['org/b'],
  );
  const recheck = Pattern.of('recheck (?!no)');
  assert.deepEqual(
    ['x recheck yes', 'recheck no'].filter((comment) => recheck.matchesSomewhere(comment)),
    ['x recheck yes'],
  );
});

const deprecated: readonly [source: string, better: RegExp | undefined][] = [
  ['^stable', undefined],
  ['^(?!doc/).*$', /write \{regex: "\^\(doc\/\)", negate: true\}/],
  ['^a/(?!b).*', /say it without/],
];
for (const [source, better] of deprecated) {
  test(`${source} is ${better === undefined ? 'fine' : 'better said otherwise'}`, () => {
    const { deprecation } = Pattern.of(source);
    if (better === undefined) assert.equal(deprecation, undefined);
    else assert.match(deprecation ?? '', better);
  });
}

for (const source of ['(a)\\1', '(?!a)|b', '((?!a).)*', '.*(?!a).*(?!b)', '(?!a)\\b', 'a(?!(b)', '(?>a)']) {
  test(`${source} is refused`, () =>
    assert.throws(() => Pattern.of(source), /not a regular expression that RE2 accepts/));
}

test('looking around in a long name takes bounded time', () => {
  const begun = performance.now();
  assert.equal(Pattern.of('^(a*)*(?!a)b').matches('a'.repeat(2000)), false);
  assert.ok(performance.now() - begun < 60_000);
});
