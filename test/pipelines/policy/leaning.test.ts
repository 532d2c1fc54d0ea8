import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareVersions } from '../../../pipelines/formats/deb/version.ts';
import type { Bond } from '../../../pipelines/formats/format.ts';
import { leaningOn } from '../../../pipelines/policy/leaning.ts';

const bare = (name: string) => ({ name, operator: '', version: '' });

function bond(
  name: string,
  version: string,
  more: { needs?: string[][]; offers?: string[]; source?: string } = {},
): Bond {
  const { needs = [], offers = [], source = `src-${name}` } = more;
  const own = { name, operator: '=', version };
  return {
    ...{ name, version, arch: 'amd64', source: { name: source, version } },
    ...{ offers: [own, ...offers.map(bare)], needs: needs.map((need) => need.map(bare)) },
  };
}

const asked = (there: Bond[], coming: Bond[], obsolete: Bond[] = []) =>
  leaningOn({ there, coming, obsolete }, compareVersions).map(({ name, version }) => `${name} ${version}`);

test('who needs a name that comes, that is replaced, or one of several', () => {
  const there = [
    bond('lib', '1', { offers: ['lib-api-1'] }),
    bond('app', '1', { needs: [['lib']] }),
    bond('old-api', '1', { needs: [['lib-api-1']] }),
    bond('either', '1', { needs: [['other', 'fresh']] }),
    bond('apart', '1', { needs: [['other']] }),
  ];
  const coming = [bond('lib', '2', { offers: ['lib-api-2'] }), bond('fresh', '1')];
  assert.deepEqual(asked(there, coming), ['app 1', 'old-api 1', 'either 1']);
});

test('older versions are not asked, nor what is replaced, nor what the same source has made', () => {
  const there = [
    bond('lib', '1', { needs: [['lib']], source: 'lib' }),
    bond('lib-gone', '1', { needs: [['lib']], source: 'lib' }),
    bond('app', '1', { needs: [['lib']] }),
    bond('app', '2', { needs: [['other']] }),
  ];
  assert.deepEqual(asked(there, [bond('lib', '2', { source: 'lib' })]), []);
});

test('what needs nothing of it is the same before and after', () => {
  const names = ['a', 'b', 'c', 'd'];
  const any = fc
    .record({
      name: fc.constantFrom(...names),
      needs: fc.array(fc.subarray(names, { minLength: 1 }), { maxLength: 2 }),
    })
    .map(({ name, needs }) => bond(name, '1', { needs }));
  fc.assert(
    fc.property(fc.uniqueArray(any, { selector: ({ name }) => name }), fc.constantFrom(...names), (there, name) => {
      const found = leaningOn({ there, coming: [bond(name, '2')], obsolete: [] }, compareVersions);
      const needs = ({ needs: all }: Bond) => all.flat().some((one) => one.name === name);
      assert.deepEqual(
        found,
        there.filter((one) => one.name !== name && needs(one)),
      );
    }),
  );
});

test('who needs what a source makes no more, or what only that offers', () => {
  const gone = bond('lib-gone', '1', { offers: ['lib-api-1'], source: 'lib' });
  const there = [
    bond('lib', '1', { source: 'lib' }),
    gone,
    bond('by-name', '1', { needs: [['lib-gone']] }),
    bond('by-offer', '1', { needs: [['lib-api-1', 'other']] }),
    bond('apart', '1', { needs: [['other']] }),
  ];
  const coming = [bond('lib', '2', { source: 'lib' })];
  assert.deepEqual(asked(there, coming, [gone]), ['by-name 1', 'by-offer 1']);
  assert.deepEqual(asked(there, coming), []);
});

test('whoever is not asked has the same after the exchange as before', () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const any = fc
    .record({
      name: fc.constantFrom(...names),
      needs: fc.array(fc.subarray(names, { minLength: 1, maxLength: 2 }), { maxLength: 2 }),
      offers: fc.subarray(names, { maxLength: 1 }),
      source: fc.constantFrom('s', 't'),
    })
    .map(({ name, ...more }) => bond(name, '1', more));
  const several = fc.uniqueArray(any, { selector: ({ name }) => name });
  const isMet = (need: Bond['needs'][number], among: readonly Bond[]) =>
    need.some(({ name }) => among.some(({ offers }) => offers.some((offer) => offer.name === name)));
  fc.assert(
    fc.property(several, several, (there, next) => {
      const coming = next.map((one) => ({ ...one, version: '2', source: { name: 's', version: '2' } }));
      const isNamed = ({ name }: Bond) => coming.some((one) => one.name === name);
      const obsolete = coming.length === 0 ? [] : there.filter((one) => one.source?.name === 's' && !isNamed(one));
      const leaning = leaningOn({ there, coming, obsolete }, compareVersions);
      const stays = there.filter((one) => !isNamed(one) && !obsolete.includes(one));
      const after = [...stays, ...coming];
      for (const one of stays.filter((each) => !leaning.includes(each))) {
        for (const need of one.needs) assert.equal(isMet(need, after), isMet(need, there));
      }
    }),
  );
});
