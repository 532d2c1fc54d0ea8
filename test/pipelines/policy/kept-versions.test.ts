import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { beyondNewest, downgrades } from '../../../pipelines/policy/kept-versions.ts';

const compare = (a: string, b: string) => Number(a) - Number(b);
const anyPackage = fc.record({
  name: fc.constantFrom('a', 'b'),
  arch: fc.constantFrom('amd64', 'all'),
  version: fc.nat(9).map(String),
});
const packages = fc.uniqueArray(anyPackage, { selector: (one) => JSON.stringify(one) });

test('of each package so many stay as are asked for, and none that goes is newer', () => {
  fc.assert(
    fc.property(packages, fc.integer({ min: 1, max: 4 }), (all, keep) => {
      const beyond = beyondNewest(all, keep, compare);
      for (const group of Map.groupBy(all, ({ name, arch }) => name + arch).values()) {
        const goes = group.filter((one) => beyond.includes(one));
        const stays = group.filter((one) => !beyond.includes(one));
        assert.equal(stays.length, Math.min(keep, group.length));
        for (const one of goes) assert.ok(stays.every((other) => compare(one.version, other.version) < 0));
      }
    }),
  );
});

test('a downgrade is one of the same name and architecture', () => {
  const there = ['2', '3', '1'].map((version) => ({ name: 'a', version, arch: 'amd64' }));
  const of = (name: string, version: string, arch: string) => downgrades([{ name, version, arch }], there, compare);
  assert.deepEqual(of('a', '1', 'amd64'), [{ older: { name: 'a', version: '1', arch: 'amd64' }, newer: there[1] }]);
  for (const other of [of('a', '3', 'amd64'), of('a', '4', 'amd64'), of('a', '1', 'all'), of('b', '1', 'amd64')]) {
    assert.deepEqual(other, []);
  }
});
