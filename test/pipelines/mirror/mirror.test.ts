import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { linkedSnapshot, linksTo, pushHistory } from '../../../pipelines/mirror/links.ts';
import { parseListing } from '../../../pipelines/mirror/listing.ts';
import { freeName, snapshotName, snapshotsOf, snapshotTime } from '../../../pipelines/mirror/names.ts';
import { type HostOutcome, packageChanges, type SetOutcome, setOutcome } from '../../../pipelines/mirror/outcome.ts';
import { expired, type Keep } from '../../../pipelines/mirror/retention.ts';
import { parseMirrorUrl, rsyncRoot } from '../../../pipelines/mirror/url.ts';

const noon = Date.UTC(2026, 1, 3, 12, 0, 0);

describe('names of snapshots', () => {
  test('are made of the set and the second, and read back', () => {
    assert.equal(snapshotName('deb', noon + 999), 'deb-2026-02-03-120000');
    assert.equal(snapshotTime('deb', 'deb-2026-02-03-120000'), noon);
  });

  test('of another set, or of no time at all, are left alone', () => {
    const names = ['7.0-2026-02-03-120000', '7x0-2026-02-03-120000', '7.0-2026-02-30-120000', '7.0-latest', '7.0'];
    assert.deepEqual(snapshotsOf('7.0', names), ['7.0-2026-02-03-120000']);
    assert.deepEqual(snapshotsOf('deb', ['deb-x-2026-02-03-120000']), []);
  });

  test('never repeat, even when the clock goes back', () => {
    assert.equal(freeName('deb', noon, ['deb-2026-02-03-120000']), 'deb-2026-02-03-120001');
    assert.equal(freeName('deb', noon - 60_000, ['deb-2026-02-03-120000']), 'deb-2026-02-03-120001');
  });
});

describe('links', () => {
  test('are relative, wherever the head stands', () => {
    const plan = { set: 'deb', snapshots: 'a/snapshots', heads: ['stable', 'a/nested/head'] };
    assert.deepEqual(linksTo(plan, 'S'), [
      { path: 'a/snapshots/deb-latest', text: 'S' },
      { path: 'stable', text: 'a/snapshots/S' },
      { path: 'a/nested/head', text: '../snapshots/S' },
    ]);
  });

  test('lead to a snapshot however they are written', () => {
    for (const text of ['S', 'snapshots/S', '../snapshots/S/', './S/.']) assert.equal(linkedSnapshot(text), 'S');
  });

  test('remember where they pointed, newest first, and no more than asked', () => {
    assert.equal(pushHistory('A\nB\n', 'C'), 'C\nA\nB\n');
    assert.equal(pushHistory('A\nB\n', 'A'), 'A\nB\n');
    const long = Array.from({ length: 300 }, (_, index) => `${index}`).join('\n');
    assert.equal(pushHistory(long, 'C').trim().split('\n').length, 200);
  });
});

describe('retention', () => {
  const names = ['deb-2026-01-01-000000', 'deb-2026-02-03-110000', 'deb-2026-02-03-115959', 'other'];
  const rows: readonly (readonly [says: string, keep: Keep, linked: readonly string[], gone: readonly string[]])[] = [
    ['zero keeps all for ever', 0, [], []],
    ['an hour lets go what is older', 3_600, [], [names[0] ?? '']],
    ['a link holds what it shows', 1, [names[0] ?? ''], [names[1] ?? '']],
    ['latest keeps only what is linked', 'latest', [names[2] ?? ''], [names[0] ?? '', names[1] ?? '']],
  ];
  for (const [says, keep, linked, gone] of rows) {
    test(says, () => {
      assert.deepEqual(expired({ set: 'deb', names, linked: new Set(linked), keep, now: noon }), gone);
    });
  }
});

describe('the outcome of a set', () => {
  const rows: readonly (readonly [readonly HostOutcome[], 'all' | 'any', SetOutcome])[] = [
    [['committed', 'committed'], 'all', 'committed'],
    [['committed', 'unchanged'], 'any', 'committed'],
    [['unchanged', 'unchanged'], 'all', 'unchanged'],
    [['failed', 'rolled-back'], 'all', 'failed'],
    [['failed', 'unchanged'], 'all', 'failed'],
    [['committed', 'failed'], 'all', 'diverged'],
    [['committed', 'behind'], 'any', 'partial'],
    [['unchanged', 'behind'], 'any', 'partial'],
    [['behind', 'behind'], 'any', 'failed'],
  ];
  for (const [outcomes, commit, expected] of rows) {
    test(`${commit}: ${outcomes.join(' and ')} is ${expected}`, () => {
      const hosts = outcomes.map((outcome) => ({ outcome }) as Parameters<typeof setOutcome>[1][number]);
      assert.equal(setOutcome(commit, hosts), expected);
    });
  }
});

test('packages that came and went are listed in a fixed order, each once', () => {
  const of = (name: string, version: string) => ({ name, version, arch: 'all' });
  const changes = packageChanges(
    [of('a', '1'), of('b', '1')],
    [of('c', '1'), of('b', '2'), of('c', '1'), of('a', '1')],
  );
  assert.deepEqual(changes, { added: [of('b', '2'), of('c', '1')], removed: [of('b', '1')] });
});

const urls = [
  ['/srv/mirror 1/', '/srv/mirror 1'],
  ['rsync://127.0.0.1:8730/mirror/deb%20x/', 'rsync://127.0.0.1:8730/mirror/deb x'],
  ['rsync://[::1]/mirror', 'rsync://[::1]/mirror'],
  ['ssh://mirror@example.org:2222/srv/a%27b', "mirror@example.org:/srv/a'b"],
] as const;
for (const [text, root] of urls) {
  test(`${text} is ${root} to rsync`, () => assert.equal(rsyncRoot(parseMirrorUrl(text)), root));
}
test('a host that would be read as an option is refused', () => {
  assert.throws(() => parseMirrorUrl('ssh://-oProxyCommand=x/srv'), RangeError);
});

test('a listing tells directories, files and links apart, whatever their names', () => {
  const text = [
    'drwxr-xr-x          4,096 2026/11/21 06:21:03 .',
    '-rw-r--r--      1,234,567 2026/11/21 06:21:03 a file',
    'lrwxrwxrwx              1 2026/11/21 06:21:03 snapshots/deb-latest -> deb-2026-01-01-000000',
    'drwxr-xr-x          4,096 2026/11/21 06:21:03 snapshots',
    '',
  ].join('\n');
  assert.deepEqual(parseListing(text), [
    { kind: 'file', name: 'a file', target: null },
    { kind: 'link', name: 'snapshots/deb-latest', target: 'deb-2026-01-01-000000' },
    { kind: 'directory', name: 'snapshots', target: null },
  ]);
});
