import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bondsIn as debBonds } from '../../../pipelines/formats/deb/bonds.ts';
import { compareVersions } from '../../../pipelines/formats/deb/version.ts';
import type { Bond } from '../../../pipelines/formats/format.ts';
import { bondsIn as rpmBonds } from '../../../pipelines/formats/rpm/bonds.ts';
import { droppedBy, stillNeeded } from '../../../pipelines/policy/obsolete.ts';

const names = ['a', 'b', 'c', 'd'] as const;
const bare = (name: string) => ({ name, operator: '', version: '' });
const sameName = (one: { readonly name: string }, other: { readonly name: string }) => one.name === other.name;
const anyBond = fc
  .record({
    offers: fc.subarray([...names]),
    needs: fc.array(fc.subarray([...names], { minLength: 1 }), { maxLength: 3 }),
  })
  .map(({ offers, needs }): Bond => {
    const source = { name: 's', version: '1' };
    const met = needs.map((need) => need.map(bare));
    return { name: 'p', version: '1', arch: 'amd64', source, offers: offers.map(bare), needs: met };
  });

test('what stays can be installed if it could before, and nothing stays that nobody needs', () => {
  fc.assert(
    fc.property(fc.array(anyBond, { maxLength: 5 }), fc.array(anyBond, { maxLength: 5 }), (going, others) => {
      const needed = stillNeeded(
        going,
        others.map((one) => ({ ...one, newest: true })),
        sameName,
      );
      const after = [...others, ...needed.keys()];
      const isMet = (need: Bond['needs'][number], among: readonly Bond[]) =>
        need.some(({ name }) => among.some(({ offers }) => offers.some((offer) => offer.name === name)));
      for (const { needs } of after) {
        for (const need of needs) assert.equal(isMet(need, after), isMet(need, [...others, ...going]));
      }
      for (const [one, by] of needed) {
        assert.ok(by.needs.some((need) => !isMet(need, others) && isMet(need, [one])));
      }
    }),
  );
});

test('older versions of others keep nothing, nor does what another architecture would be served by', () => {
  const bond = (name: string, arch: string, needs: readonly string[] = []): Bond => ({
    ...{ name, version: '1', arch, source: null, offers: [bare(name)], needs: needs.map((one) => [bare(one)]) },
  });
  const going = [bond('lib', 'amd64')];
  const user = bond('user', 'amd64', ['lib']);
  const needed = (others: readonly (Bond & { newest: boolean })[]) => stillNeeded(going, others, sameName).size;
  assert.equal(needed([{ ...user, newest: false }]), 0);
  assert.equal(needed([{ ...user, newest: true }]), 1);
  assert.equal(
    needed([
      { ...user, newest: true },
      { ...bond('lib', 'arm64'), newest: true },
    ]),
    1,
  );
  assert.equal(
    needed([
      { ...user, newest: true },
      { ...bond('lib', 'all'), newest: true },
    ]),
    0,
  );
});

test('a build speaks for its own source, other versions of it, and its architectures', () => {
  const build = {
    source: { name: 'alpha', version: '1:2-1' },
    packages: [{ name: 'alpha', version: '1:2-1', arch: 'amd64' }],
    architectures: new Set(['amd64']),
  };
  const of = (name: string, arch: string, source: Bond['source']) =>
    droppedBy({ name, version: '1', arch, source, offers: [], needs: [] }, [build], compareVersions) !== undefined;
  assert.equal(of('old', 'amd64', { name: 'alpha', version: '1:1-1' }), true);
  assert.equal(of('old', 'arm64', { name: 'alpha', version: '1:1-1' }), false);
  assert.equal(of('alpha', 'amd64', { name: 'alpha', version: '1:1-1' }), false);
  assert.equal(of('old', 'amd64', { name: 'beta', version: '1:1-1' }), false);
  assert.equal(of('flavour', 'amd64', { name: 'alpha', version: '2-1' }), false);
  assert.equal(of('alpha', 'source', null), false);
  assert.equal(
    of('old', 'amd64', { name: 'alpha', version: '1:3-1' }),
    false,
    'an older build says nothing of a newer',
  );
  assert.equal(of('old', 'amd64', { name: 'alpha', version: '1-9' }), true, 'a source may be named without its epoch');
});

test('lists of DEB say which source a package is of, what it offers and needs', () => {
  const [binary, source] = debBonds(
    [
      'Package: liba\nSource: a (1:1.0-1)\nVersion: 1.0-1+b1\nArchitecture: amd64\nFilename: pool/a.deb',
      'Provides: a-api (= 2)\nPre-Depends: x\nDepends: libc6 (>= 2.36), b | c (<< 3)\n',
      'Package: a\nVersion: 1:1.0-1\nDirectory: pool/main/a\nBuild-Depends: debhelper,\n d:native\n',
    ].join('\n'),
  );
  assert.deepEqual(binary?.source, { name: 'a', version: '1:1.0-1' });
  assert.deepEqual(binary?.offers, [
    { name: 'liba', operator: '=', version: '1.0-1+b1' },
    { name: 'a-api', operator: '=', version: '2' },
  ]);
  assert.deepEqual(
    binary?.needs.map((need) => need.map(({ name, operator, version }) => name + operator + version)),
    [['x'], ['libc6>=2.36'], ['b', 'c<<3']],
  );
  assert.deepEqual(
    [source?.arch, source?.needs.map((need) => need.map(({ name }) => name))],
    ['source', [['debhelper'], ['d']]],
  );
});

test('lists of RPM do, too: files are offered, and every name in a rich dependency counts', () => {
  const [one] = rpmBonds(`<metadata><package type="rpm"><name>liba</name><arch>x86_64</arch>
    <version epoch="1" ver="1.0" rel="2"/><format><rpm:sourcerpm>a-b-1.0-2.src.rpm</rpm:sourcerpm>
    <rpm:provides><rpm:entry name="liba" flags="EQ" epoch="1" ver="1.0" rel="2"/></rpm:provides>
    <rpm:requires><rpm:entry name="/bin/sh"/><rpm:entry name="(b(x86-64) &gt;= 1 or c)"/></rpm:requires>
    <file>/usr/bin/a</file></format></package></metadata>`);
  assert.deepEqual(one?.source, { name: 'a-b', version: '1.0-2' });
  assert.deepEqual(one?.offers, [{ name: 'liba', operator: '=', version: '1:1.0-2' }, bare('/usr/bin/a')]);
  const needed = one?.needs.flat().map(({ name }) => name) ?? [];
  for (const name of ['/bin/sh', 'b(x86-64)', 'c']) assert.ok(needed.includes(name), name);
});
