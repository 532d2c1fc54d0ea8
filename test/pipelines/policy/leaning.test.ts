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

const asked = (there: Bond[], coming: Bond[]) =>
  leaningOn(there, coming, compareVersions).map(({ name, version }) => `${name} ${version}`);

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
      const found = leaningOn(there, [bond(name, '2')], compareVersions);
      const needs = ({ needs: all }: Bond) => all.flat().some((one) => one.name === name);
      assert.deepEqual(
        found,
        there.filter((one) => one.name !== name && needs(one)),
      );
    }),
  );
});
