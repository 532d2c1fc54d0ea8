import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { linkedSnapshot, linksTo, pushHistory } from '../../../pipelines/mirror/links.ts';
import { type ListedEntry, parseFound, parseListing } from '../../../pipelines/mirror/listing.ts';
import {
  chooseBases,
  damageOf,
  isWhole,
  type Manifest,
  mistakable,
  mustBeSent,
  planCopy,
} from '../../../pipelines/mirror/manifest.ts';
import { freeName, snapshotName, snapshotsOf, snapshotTime } from '../../../pipelines/mirror/names.ts';
import { type HostOutcome, packageChanges, type SetOutcome, setOutcome } from '../../../pipelines/mirror/outcome.ts';
import { expired, type Keep } from '../../../pipelines/mirror/retention.ts';
import { parseMirrorUrl, rsyncRoot, sftpRoot } from '../../../pipelines/mirror/url.ts';
import { followWay } from '../../../pipelines/mirror/way.ts';

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

test('the newest stay however old they are, as many as were asked for, and count links among them', () => {
  const names = ['deb-2026-01-01-000000', 'deb-2026-01-02-000000', 'deb-2026-01-03-000000'];
  const rows = [
    [0, names.slice(0, 2)],
    [1, names.slice(0, 2)],
    [2, names.slice(0, 1)],
    [3, []],
    [9, []],
  ] as const;
  for (const [atLeast, gone] of rows) {
    const facts = { set: 'deb', names, linked: new Set(names.slice(2)), keep: 1, atLeast, now: noon };
    assert.deepEqual(expired(facts), gone, String(atLeast));
    assert.deepEqual(expired({ ...facts, keep: 'latest' }), gone, `latest, ${atLeast}`);
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
  ['sftp://mirror@example.org:2222/srv/a%20b/', 'sftp://mirror@example.org:2222/srv/a b'],
  ['sftp://[::1]/srv', 'sftp://[::1]/srv'],
] as const;
for (const [text, root] of urls) {
  test(`${text} is ${root} to rsync, or to people`, () => {
    const url = parseMirrorUrl(text);
    assert.equal(url.kind === 'sftp' ? sftpRoot(url) : rsyncRoot(url), root);
  });
}
test('a host that would be read as an option is refused', () => {
  assert.throws(() => parseMirrorUrl('ssh://-oProxyCommand=x/srv'), RangeError);
  assert.throws(() => parseMirrorUrl('sftp://-oProxyCommand=x/srv'), RangeError);
});

test('a listing tells directories, files and links apart, whatever their names', () => {
  const text = [
    'drwxr-xr-x          4,096 2026/11/21 06:21:03 .',
    '-rw-r--r--      1,234,567 2026/11/21 06:21:03 a file',
    'lrwxrwxrwx              1 2026/11/21 06:21:03 snapshots/deb-latest -> deb-2026-01-01-000000',
    'drwxr-xr-x          4,096 2026/11/21 06:21:03 snapshots',
    '',
  ].join('\n');
  const time = Date.UTC(2026, 10, 21, 6, 21, 3) / 1000;
  assert.deepEqual(parseListing(text), [
    { kind: 'file', name: 'a file', target: null, mode: 0o644, size: 1_234_567, mtime: time },
    { kind: 'link', name: 'snapshots/deb-latest', target: 'deb-2026-01-01-000000', mode: 0o777, size: 1, mtime: time },
    { kind: 'directory', name: 'snapshots', target: null, mode: 0o755, size: 4096, mtime: time },
  ]);
});

test('what find printed is read whatever the names, and not at all where it was cut off', () => {
  const text =
    'd 755 4096 1700000000.5000000000 a b\0\0l 777 3 -1.5000000000 a b/l -> n\0a -> b\0f 4644 7 0.0000000000 \n\0\0p 644 0 1 p\0\0';
  assert.deepEqual(parseFound(`${text}end`), [
    { kind: 'directory', name: 'a b', target: null, mode: 0o755, size: 4096, mtime: 1_700_000_000 },
    { kind: 'link', name: 'a b/l -> n', target: 'a -> b', mode: 0o777, size: 3, mtime: -2 },
    { kind: 'file', name: '\n', target: null, mode: 0o644, size: 7, mtime: 0 },
    { kind: 'other', name: 'p', target: null, mode: 0o644, size: 0, mtime: 1 },
  ]);
  assert.deepEqual(parseFound('end'), []);
  for (const cut of ['', text, text.slice(0, 40), `${text.slice(0, 40)}end`, 'nonsense\0\0end']) {
    assert.equal(parseFound(cut), null, JSON.stringify(cut));
  }
});

describe('H1: the way to a path', () => {
  const of = (kind: ListedEntry['kind'], name: string, target: string | null = null): ListedEntry => ({
    ...{ kind, name, target },
    ...{ mode: 0o755, size: 0, mtime: 0 },
  });
  const entries = [
    of('link', 'pub', 'real/pub'),
    of('directory', 'real'),
    of('link', 'real/pub', '../data/./pub'),
    of('link', 'away', '/srv/away'),
    of('link', 'up', '../up'),
    of('link', 'round', 'round'),
    of('file', 'text'),
    of('link', 'stable', 'snapshots/S'),
  ];
  const rows = [
    ['pub/debian', 'kept', { path: 'data/pub/debian' }],
    ['pub', 'followed', { path: 'data/pub' }],
    ['stable', 'kept', { path: 'stable' }],
    ['new/er', 'followed', { path: 'new/er' }],
    ['away/x', 'kept', { blocked: 'away is a link to /srv/away, which is not below the root' }],
    ['up/x', 'kept', { blocked: 'up/x leads out of the root' }],
    ['round/x', 'kept', { blocked: 'round is a link that leads to itself' }],
    ['text/x', 'kept', { blocked: 'text is a file, not a directory' }],
  ] as const;
  for (const [path, last, way] of rows) {
    test(`${path} (its end ${last})`, () => assert.deepEqual(followWay(entries, path, last), way));
  }
});

describe('what a host has already', () => {
  const file = (sha256: string, size = 1, mtime = 1) => ({ sha256, size, mtime, mode: 0o644 });
  const of = (files: Manifest['files']): Manifest => ({ files, links: {} });
  const wanted = of({ a: file('A'), b: file('B'), c: file('C') });
  const bases = [
    { snapshot: 'one', manifest: of({ a: file('A'), b: file('X') }) },
    { snapshot: 'same', manifest: of({ a: file('A') }) },
    { snapshot: 'two', manifest: of({ b: file('B', 1, 2), c: file('C') }) },
  ];

  test('M6: every snapshot that has something to give is linked from, and no other', () => {
    assert.deepEqual(
      chooseBases(wanted, bases).map(({ snapshot }) => snapshot),
      ['one', 'two'],
    );
    assert.deepEqual(mustBeSent(wanted, bases), ['b']);
  });

  const tree = (directories: readonly string[], files: Manifest['files'], links: Manifest['links'] = {}): Manifest => ({
    ...{ directories, files, links },
  });

  test('a copy of the base that has most is sent what differs, and loses what went', () => {
    const now = tree(['d', 'new'], { a: file('A'), 'd/b': file('B'), 'new/c': file('C') }, { l: 'a' });
    const before = tree(['d', 'old', 'old/e'], {
      a: file('A'),
      'd/b': file('X'),
      'd/z': file('Z'),
      'old/e/y': file('Y'),
    });
    const little = tree(['d'], {});
    const plan = planCopy(now, [
      { snapshot: 'little', manifest: little },
      { snapshot: 'before', manifest: before },
    ]);
    assert.deepEqual(plan, { base: 'before', sent: ['new', 'd/b', 'new/c', 'l'], gone: ['old', 'd/z'] });
  });

  const one = tree([], { a: file('A'), b: file('B') });
  const none: readonly (readonly [says: string, wanted: Manifest, ...bases: readonly Manifest[]])[] = [
    ['there is none', one],
    ['two have more than one', one, tree([], { a: file('A') }), tree([], { b: file('B') })],
    ['its directories were not noted', one, of({ a: file('A') })],
    ['a directory becomes a file', one, tree(['a'], { 'a/x': file('A') })],
    ['a file becomes a directory', tree(['a'], { 'a/x': file('A') }), one],
  ];
  for (const [says, now, ...manifests] of none) {
    test(`no copy is made of a base where ${says}`, () => {
      const candidates = manifests.map((manifest, at) => ({ snapshot: `${at}`, manifest }));
      assert.equal(planCopy(now, candidates), null);
    });
  }

  test('a copy is whole when its list is right in every mode, name, size and time', () => {
    const now = tree(['d'], { 'd/a': file('A') }, { l: 'd/a' });
    const facts = { target: null, size: 1, mtime: 1 };
    const right: readonly ListedEntry[] = [
      { ...facts, kind: 'directory', name: 'd', mode: 0o755 },
      { ...facts, kind: 'file', name: 'd/a', mode: 0o644 },
      { ...facts, kind: 'link', name: 'l', target: 'd/a', mode: 0o777 },
    ];
    assert.equal(isWhole(now, right), true);
    const [d, a, l] = right as readonly [ListedEntry, ListedEntry, ListedEntry];
    const wrong = [
      [d, l],
      [a, l],
      [d, a],
      [...right, { ...d, name: 'e' }],
      [{ ...d, mode: 0o700 }, a, l],
      [d, { ...a, mode: 0o600 }, l],
      [d, { ...a, size: 2 }, l],
      [d, { ...a, mtime: 2 }, l],
      [d, a, { ...l, target: 'd' }],
    ];
    for (const listed of wrong) assert.equal(isWhole(now, listed), false, JSON.stringify(listed));
  });

  test('M2: a file of the same size and other content may be mistaken', () => {
    assert.deepEqual(mistakable(wanted, bases, new Set()), ['b']);
    assert.deepEqual(mistakable(wanted, bases, new Set(['b'])), [], 'it was sent');
    const { b } = wanted.files;
    assert.ok(b);
    const named = { ...wanted, files: { ...wanted.files, 'by-hash/b': b } };
    assert.deepEqual(mistakable(named, bases, new Set(['by-hash/b'])), ['b', 'by-hash/b'], 'rsync links both');
  });

  test('W5: what was changed, cut, removed or added is damage', () => {
    const listed = (name: string, size: number, mtime: number): ListedEntry => ({
      ...{ kind: 'file', name, target: null, mode: 0o644 },
      ...{ size, mtime },
    });
    assert.deepEqual(damageOf(wanted, [listed('a', 2, 1), listed('b', 1, 2), listed('d', 1, 1)]), [
      'a has 2 bytes instead of 1',
      'b was changed',
      'c is not there',
      'd was not sent',
    ]);
    assert.deepEqual(damageOf(wanted, [listed('a', 1, 1), listed('b', 1, 1), listed('c', 1, 1)]), []);
  });
});
