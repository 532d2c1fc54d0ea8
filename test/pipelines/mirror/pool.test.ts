import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Manifest, ManifestFile } from '../../../pipelines/mirror/manifest.ts';
import {
  clashesWith,
  isSure,
  lackingIn,
  needless,
  type PoolRecord,
  poolWith,
  removals,
  without,
} from '../../../pipelines/mirror/pool.ts';
import { sharedFolders, splitShared } from '../../../pipelines/mirror/shared.ts';

const file = (sha256: string): ManifestFile => ({ size: 1, mtime: 1, mode: 0o644, sha256 });
const filesOf = (...paths: readonly string[]) => Object.fromEntries(paths.map((path) => [path, file(path)]));

describe('folders that states share', () => {
  const rows: readonly (readonly [
    string,
    readonly string[],
    readonly string[],
    readonly string[],
    readonly string[],
  ])[] = [
    ['of APT', ['pool/main/a/a.deb', 'pool/b/b.deb'], ['dists/x/Release'], [], ['pool']],
    ['of RPM', ['Packages/a.rpm'], ['repodata/repomd.xml'], [], ['Packages']],
    [
      'of several',
      ['9/x/Packages/a.rpm', '8/b.rpm'],
      ['9/x/repodata/repomd.xml', '8/repodata/repomd.xml'],
      [],
      ['9/x/Packages'],
    ],
    [
      'with a link inside',
      ['pool/main/a.deb', 'pool/extra/b.deb'],
      ['dists/x/Release'],
      ['pool/extra/old'],
      ['pool/main'],
    ],
    ['of a flat one', ['a.deb'], ['Release'], [], []],
    ['of one without packages', [], ['dists/x/Release'], [], []],
  ];
  for (const [name, packages, indexes, links, shared] of rows) {
    test(name, () => {
      const tree = { links: Object.fromEntries(links.map((path) => [path, 'elsewhere'])) };
      assert.deepEqual(sharedFolders(tree, { packages, indexes }), shared);
    });
  }

  test('stand apart from the snapshot, which links to them', () => {
    const manifest: Manifest = {
      directories: ['9', '9/Packages', '9/Packages/a', '9/repodata'],
      files: filesOf('9/Packages/a/a.rpm', '9/repodata/repomd.xml'),
      links: {},
      shared: ['9/Packages'],
    };
    const { own, pool } = splitShared(manifest, 'rpm');
    assert.deepEqual(own, {
      directories: ['9', '9/repodata'],
      files: filesOf('9/repodata/repomd.xml'),
      links: { '9/Packages': '../../rpm-pool/9/Packages' },
    });
    assert.deepEqual(pool?.files, filesOf('9/Packages/a/a.rpm'));
    assert.deepEqual(pool?.directories, ['9/Packages', '9/Packages/a']);
    assert.equal(splitShared({ ...manifest, shared: undefined }, 'rpm').pool, null);
  });
});

describe('a pool', () => {
  const empty: PoolRecord = { snapshots: [], files: {} };

  test('has what was sent, refuses other content, and is not sure beside a stranger’s snapshot', () => {
    const record = poolWith(empty, filesOf('a', 'b'), 's1');
    assert.deepEqual(lackingIn(record, filesOf('b', 'c')), ['c']);
    assert.deepEqual(clashesWith(record, { a: file('other'), b: file('b'), c: file('c') }), ['a']);
    assert.deepEqual([isSure(record, ['s1']), isSure(record, ['s1', 's2'])], [true, false]);
  });

  test('what is being removed is not there', () => {
    const record = without(poolWith(empty, filesOf('a'), 's1'), ['a'], 'leaving');
    assert.deepEqual([lackingIn(record, filesOf('a')), needless(record, ['s1'])], [['a'], ['a']]);
    assert.deepEqual(clashesWith(record, { a: file('other') }), []);
    assert.deepEqual(without(record, ['a'], 'gone').files, {});
  });

  test('folders go with their last file', () => {
    const record = poolWith(empty, filesOf('p/a/one', 'p/a/two', 'p/b/three'), 's1');
    assert.deepEqual(removals(record, ['p/a/one']), ['p/a/one']);
    assert.deepEqual(removals(record, ['p/a/one', 'p/a/two']), ['p/a']);
  });

  test('never lets go of what a kept snapshot names, and of all else once no older one is kept', () => {
    const state = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'));
    fc.assert(
      fc.property(fc.array(fc.tuple(state, fc.boolean()), { minLength: 1, maxLength: 8 }), (steps) => {
        let record = empty;
        const states = new Map<string, readonly string[]>();
        for (const [nth, [paths, oldestGoes]] of steps.entries()) {
          const name = `s${nth}`;
          record = poolWith(record, filesOf(...paths), name);
          states.set(name, paths);
          const oldest = [...states.keys()][0];
          if (oldestGoes && states.size > 1 && oldest !== undefined) states.delete(oldest);
          const kept = [...states.keys()];
          record = without({ ...record, snapshots: kept }, needless(record, kept), 'gone');
          for (const path of [...states.values()].flat()) assert.ok(record.files[path], `${path} of ${kept.join()}`);
          if (kept.length === 1) assert.deepEqual(Object.keys(record.files).sort(), [...paths].sort());
        }
      }),
    );
  });
});
