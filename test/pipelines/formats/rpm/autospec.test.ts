import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  autoEntries,
  type CountedCommit,
  completeRelease,
  itemsOf,
  magicComments,
  releaseNumbers,
  usesAutochangelog,
  usesAutorelease,
} from '../../../../pipelines/formats/rpm/autospec.ts';

/** `ID < PARENT PARENT: PART`; without a part the spec cannot be read, `-` is no spec, `+N` a bump. */
function history(...rows: readonly string[]): readonly CountedCommit[] {
  return rows.map((row) => {
    const [, id = '', parents = '', part = '', bump = '0'] =
      /^(\w+)(?: < ([\w ]+))?: ?([\d.-]*)(?: \+(\d+))?$/.exec(row) ?? [];
    const present = part !== '-';
    const names = parents.split(' ').filter(Boolean);
    return { id, parents: names, present, part: part === '' || !present ? null : part, bump: Number(bump) };
  });
}

test('P9: the release counts the commits since the version changed', () => {
  const cases: readonly (readonly [string, readonly CountedCommit[], number])[] = [
    ['one', history('a: 1'), 1],
    ['three in a row', history('a: 1', 'b < a: 1', 'c < b: 1'), 3],
    ['a new version', history('a: 1', 'b < a: 1', 'c < b: 2'), 1],
    ['and on from there', history('a: 1', 'b < a: 2', 'c < b: 2'), 2],
    ['a merge takes the longer side', history('a: 1', 'b < a: 1', 'c < a: 1', 'd < c: 1', 'e < b d: 1'), 4],
    ['a side of another version does not count', history('a: 1', 'b < a: 2', 'c < a: 1', 'd < c: 1', 'e < b d: 2'), 2],
    ['before the spec was there nothing is counted', history('a: -', 'b < a: -', 'c < b: 1'), 1],
    ['a spec that cannot be read breaks nothing', history('a: 1', 'b < a: ', 'c < b: 1'), 3],
    ['a bump', history('a: 1', 'b < a: 1 +5', 'c < b: 1'), 6],
    ['a bump to less is none', history('a: 1', 'b < a: 1', 'c < b: 1 +2'), 3],
  ];
  for (const [what, commits, number] of cases) {
    assert.equal(releaseNumbers(commits).get(commits.at(-1)?.id ?? ''), number, what);
  }
});

test('P9: lines of a message in brackets are read, those inside of text are not', () => {
  assert.deepEqual(magicComments('Fix\n\n[skip changelog]\n'), { skip: true, bump: 0 });
  assert.deepEqual(magicComments('Fix\n\n [skip changelog, bump release: 7]'), { skip: true, bump: 7 });
  assert.deepEqual(magicComments('Say [skip changelog] here'), { skip: false, bump: 0 });
});

const spec = (release: string) => `Name: a\nVersion: 1.0\nRelease: ${release}\n\n%description\na\n`;

test('P9: what %autorelease is told counts for the whole release', () => {
  const cases = [
    ['%autorelease', 3, '3'],
    ['%autorelease -b 10', 3, '12'],
    ['%autorelease -b10 -e rc1', 1, '10.rc1'],
    ['%autorelease -p -e rc1 -s git5', 2, '0.2.rc1.git5'],
    ['%{autorelease -b 4}', 2, '5'],
    ['3%{?dist}', 2, '2'],
  ] as const;
  for (const [release, number, complete] of cases) assert.equal(completeRelease(spec(release), number), complete);
});

test('P9: such specs are known by their tags, however the macro is written', () => {
  for (const release of ['%autorelease', '%{autorelease}', '%{?autorelease}', '%autorelease -b 3']) {
    assert.ok(usesAutorelease(spec(release)), release);
  }
  assert.ok(!usesAutorelease(spec('3%{?dist}')));
  assert.ok(usesAutochangelog('%changelog\n%autochangelog\n'));
  assert.ok(usesAutochangelog('%changelog\n%{?autochangelog}\n'));
  assert.ok(!usesAutochangelog('%changelog\n* a %autochangelog\n'));
});

test('P9: items of an entry are the subject, its continuation and a list', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['Fix it\n', ['Fix it']],
    ['Fix it\n\nFor a reason.\n\n- not this', ['Fix it']],
    ['Fix it\n\n- one\n- two\n  goes on\n\nmore', ['Fix it', 'one', 'two goes on']],
    ['Fix it\n\n... and that\ntoo\n\n- one', ['Fix it and that too', 'one']],
    ['- Fix\nit', ['Fix it']],
  ];
  for (const [message, items] of cases) assert.deepEqual(itemsOf(message), items, message);
});

test('P9: entries are dated in order, and no macro of a message is expanded', () => {
  const by = { author: 'Dev', email: 'dev@example.org' };
  const [day, hour] = [86_400, 3_600];
  const entries = autoEntries(
    [
      { ...by, message: 'Newest', time: 19_000 * day, version: '1-2' },
      { ...by, message: 'Use %{bad}', time: 19_001 * day + hour, version: null },
    ],
    '* Thu Jan 01 2015 Old <old@example.org> - 0.9-1\n- first\n',
  );
  const head = '* Sun Jan 09 2022 Dev <dev@example.org>';
  assert.equal(entries, `${head} - 1-2\n- Newest\n\n${head}\n- Use %%{bad}\n\n`);
});
