import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeOnto } from '../../../activities/git/merge.ts';
import { bareRepository, fileAt, makeCommit, scratch } from './repository.ts';

type Files = Readonly<Record<string, string | null>>;

const entry = (version: string) =>
  `tool (${version}) unstable; urgency=medium\n\n  * ${version}.\n\n -- A <a@b> Thu, 01 Jan 2026 00:00:00 +0000\n`;
const log = (...versions: string[]) => versions.map(entry).join('\n');

/** Both sides put a line at the end of each file. */
const cases: readonly [says: string, attributes: Files, path: string, merges: boolean][] = [
  ['no attributes', {}, 'CHANGES', false],
  ['union at the root', { '.gitattributes': 'CHANGES merge=union\n' }, 'CHANGES', true],
  ['another file', { '.gitattributes': 'CHANGES merge=union\n' }, 'NEWS', false],
  ['a pattern at any depth', { '.gitattributes': '*.log merge=union\n' }, 'a/b/c.log', true],
  ['in a folder, any depth below', { 'a/.gitattributes': 'CHANGES merge=union\n' }, 'a/b/CHANGES', true],
  ['in a folder, not beside it', { 'a/.gitattributes': 'CHANGES merge=union\n' }, 'CHANGES', false],
  ['in a folder, with a slash', { 'a/.gitattributes': '/CHANGES merge=union\n' }, 'a/b/CHANGES', false],
  ['in a folder, with a path', { 'a/.gitattributes': 'b/CHANGES merge=union\r\n' }, 'a/b/CHANGES', true],
  ['the deeper one wins', { '.gitattributes': '* merge=union\n', 'a/.gitattributes': '* -merge\n' }, 'a/x', false],
  ['a comment', { '.gitattributes': '# CHANGES merge=union\n' }, 'CHANGES', false],
  ['a macro', { '.gitattributes': '[attr]loose merge=union\nCHANGES loose\n' }, 'CHANGES', true],
  ['a quoted name', { 'a b/.gitattributes': '"C D" merge=union\n' }, 'a b/C D', true],
  ['behind a byte order mark', { '.gitattributes': '\ufeffCHANGES merge=union\n' }, 'CHANGES', true],
  ['a quoted name with bytes by number', { 'a/.gitattributes': '"caf\\303\\251" merge=union\n' }, 'a/café', true],
  ['a quotation mark in a name', { 'a/.gitattributes': 'x?y merge=union\n' }, 'a/x"y', true],
  ['a wide space in a name', { '.gitattributes': 'x\u3000y merge=union\n' }, 'x\u3000y', true],
  ['a folder with a star', { 'a*/.gitattributes': 'x merge=union\n' }, 'ab/x', false],
  ['a driver that nobody allowed', { '.gitattributes': 'CHANGES merge=anything\n' }, 'CHANGES', false],
];
for (const [says, attributes, path, merges] of cases) {
  test(`P5: the branch's attributes count in a merge: ${says}`, async (t) => {
    const repo = await bareRepository(await scratch(t), 'p');
    const base = await makeCommit(repo, { files: { ...attributes, [path]: '1\n' } });
    const tip = await makeCommit(repo, { parents: [base], files: { [path]: '1\n2\n' } });
    const change = await makeCommit(repo, { parents: [base], files: { [path]: '1\n3\n' } });
    for (const mode of ['rebase', 'merge', 'squash-merge'] as const) {
      const result = await mergeOnto(repo, tip, { commit: change, mode });
      assert.equal(result.kind, merges ? 'merged' : 'conflict', mode);
      if (result.kind === 'merged') assert.equal(await fileAt(repo, result.commit, path), '1\n2\n3\n');
      assert.deepEqual(await mergeOnto(repo, tip, { commit: change, mode }), result, 'repeatable');
    }
  });
}

test('P5: what the change itself says of merging does not count for it', async (t) => {
  const repo = await bareRepository(await scratch(t), 'p');
  const base = await makeCommit(repo, { files: { CHANGES: '1\n' } });
  const tip = await makeCommit(repo, { parents: [base], files: { CHANGES: '1\n2\n' } });
  const own = { '.gitattributes': 'CHANGES merge=union\n', CHANGES: '1\n3\n' };
  const change = await makeCommit(repo, { parents: [base], files: own });
  assert.equal((await mergeOnto(repo, tip, { commit: change })).kind, 'conflict');
});

const changelogs: readonly [says: string, ours: string, theirs: string, merged: string | null][] = [
  ['two versions, in order', log('1-2', '1-1'), log('1-3', '1-1'), log('1-3', '1-2', '1-1')],
  ['the same version twice', log('1-2', '1-1'), log('1-2', '1-1').replace('* 1-2.', '* Other.'), null],
];
for (const [says, ours, theirs, wanted] of changelogs) {
  test(`P6: entries of debian/changelog are merged where the branch asks for it: ${says}`, async (t) => {
    const repo = await bareRepository(await scratch(t), 'p');
    const path = 'debian/changelog';
    const attributes = { '.gitattributes': 'debian/changelog merge=dpkg-mergechangelogs\n' };
    const base = await makeCommit(repo, { files: { ...attributes, [path]: log('1-1') } });
    const tip = await makeCommit(repo, { parents: [base], files: { [path]: ours } });
    const change = await makeCommit(repo, { parents: [base], files: { [path]: theirs } });
    const result = await mergeOnto(repo, tip, { commit: change });
    if (wanted === null) assert.deepEqual(result.kind === 'conflict' && result.files, [path]);
    else assert.equal(result.kind === 'merged' && (await fileAt(repo, result.commit, path)), wanted);
  });
}

const specEntry = (day: number, version: string, text = `Say ${version}.`) =>
  `* Thu Jan ${String(day).padStart(2, '0')} 2026 D\xe9v <dev@example.org> - ${version}\n- ${text}\n`;
const specOf = (entries: readonly string[], release = '1') =>
  `Name: tool\nVersion: 1\nRelease: ${release}\n\n%description\nA tool.\n\n%changelog\n${entries.join('\n')}`;
const [first, second, third] = [specEntry(1, '1-1'), specEntry(8, '1-2'), specEntry(15, '1-3')];

const specs: readonly [says: string, ours: string, theirs: string, merged: string | null][] = [
  ['two versions, the newer on top', specOf([second, first]), specOf([third, first]), specOf([third, second, first])],
  ['the newer is there already', specOf([third, first]), specOf([second, first]), specOf([third, second, first])],
  [
    'the same day, by version',
    specOf([specEntry(8, '1-10'), first]),
    specOf([specEntry(8, '1-9'), first]),
    specOf([specEntry(8, '1-10'), specEntry(8, '1-9'), first]),
  ],
  ['the same entry on both sides', specOf([second, first]), specOf([second, first]), specOf([second, first])],
  ['an entry that one side removes', specOf([second]), specOf([third, first]), specOf([third, second])],
  [
    'the rest of the spec is merged, too',
    specOf([second, first], '2'),
    specOf([third, first]),
    specOf([third, second, first], '2'),
  ],
  ['the same version twice', specOf([second, first]), specOf([specEntry(8, '1-2', 'Other.'), first]), null],
  ['a conflict beside the changelog', specOf([second, first], '2'), specOf([third, first], '3'), null],
];
for (const [says, ours, theirs, wanted] of specs) {
  test(`P6: entries of a spec are merged where the branch asks for it: ${says}`, async (t) => {
    const repo = await bareRepository(await scratch(t), 'p');
    const path = 'rpm/tool.spec';
    const base = await makeCommit(repo, {
      files: { '.gitattributes': '*.spec merge=spec-changelog\n', [path]: specOf([first]) },
    });
    const tip = await makeCommit(repo, { parents: [base], files: { [path]: ours } });
    const change = await makeCommit(repo, { parents: [base], files: { [path]: theirs } });
    const result = await mergeOnto(repo, tip, { commit: change });
    if (wanted === null) assert.deepEqual(result.kind === 'conflict' && result.files, [path]);
    else assert.equal(result.kind === 'merged' && (await fileAt(repo, result.commit, path)), wanted);
  });
}
