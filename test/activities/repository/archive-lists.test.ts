import assert from 'node:assert/strict';
import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { run } from '../../../activities/process/run.ts';
import { withKeptBase } from '../../../activities/repository/deb/kept-base.ts';
import { uninstallable } from '../../../activities/repository/deb/solve.ts';
import { RepositoryRefusal } from '../../../activities/repository/port.ts';
import { temporary } from './packages.ts';

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const name = fc.constantFrom(...names);
const relation = fc.tuple(name, fc.constantFrom('', ' (>= 2)', ' (<< 2)', ' (= 1)')).map((parts) => parts.join(''));
const group = fc.array(relation, { minLength: 1, maxLength: 3 }).map((all) => all.join(' | '));
const paragraph = fc
  .record({
    ...{ Package: name, Version: fc.constantFrom('1', '2') },
    Essential: fc.constantFrom('', '', '', '', '', 'yes'),
    'Pre-Depends': fc.array(group, { maxLength: 1 }).map((all) => all.join(', ')),
    Depends: fc.array(group, { maxLength: 2 }).map((all) => all.join(', ')),
    Provides: fc.array(name, { maxLength: 1 }).map((all) => all.join(', ')),
    Conflicts: fc.array(relation, { maxLength: 1 }).map((all) => all.join(', ')),
  })
  .map((fields) => {
    const given = Object.entries({
      ...fields,
      Architecture: 'amd64',
      Filename: 'pool/x.deb',
      Size: '1',
      SHA256: '0'.repeat(64),
    }).filter(([, value]) => value !== '');
    return given.map(([key, value]) => `${key}: ${value}`).join('\n');
  });
/** No two of the same name and version: of these the solver says only that they are. */
const universe = (size: number) =>
  fc.uniqueArray(paragraph, { maxLength: size, selector: (one) => one.split('\n').slice(0, 2).join() });

test('what cannot be installed is the same whether the solver reads the whole archive or what may be needed of it', async (t) => {
  const work = await temporary(t);
  let broken = 0;
  let nth = 0;
  await fc.assert(
    fc.asyncProperty(universe(3), universe(9), async (own, others) => {
      nth += 1;
      const known = new Set(own.map((one) => one.split('\n').slice(0, 2).join()));
      const rest = others.filter((one) => !known.has(one.split('\n').slice(0, 2).join()));
      const [tree, archive] = [join(work, `own-${nth}`), join(work, `archive-${nth}`)];
      for (const [dir, all] of [
        [tree, own],
        [archive, others],
        [`${archive}-rest`, rest],
      ] as const) {
        await mkdir(dir);
        await writeFile(join(dir, 'Packages'), `${all.join('\n\n')}\n`);
      }
      const files = ['--fg', join(tree, 'Packages'), '--bg', join(`${archive}-rest`, 'Packages')];
      const { stdout } = await run('dose-debcheck', ['--failures', '--deb-native-arch=amd64', ...files]);
      const expected = [...stdout.matchAll(/package: (\S+)\n\s+version: (\S+)/g)].map(([, ...parts]) =>
        parts.join(' '),
      );
      const found = await uninstallable(tree, [archive]);
      broken += expected.length;
      assert.deepEqual(found.map(({ subject }) => subject.replace(/ \(.*/, '')).sort(), expected.sort());
    }),
    { numRuns: 40 },
  );
  assert.ok(broken > 5, `only ${broken} packages could not be installed: the test says little`);
});

test('lists of an archive are kept, asked for anew when they are old, and brought again for another archive', async (t) => {
  const work = await temporary(t);
  const archive = async (dir: string, text: string) => {
    await mkdir(join(work, dir), { recursive: true });
    await writeFile(join(work, dir, 'Packages'), text);
  };
  const read = (dir: string, fresh: number, tree?: string[]) => {
    const base = { source: [`deb [trusted=yes] file:${join(work, dir)} ./`], architectures: ['amd64'], suite: 'x' };
    return withKeptBase({ base, directory: join(work, 'kept'), fresh }, async (found) => {
      tree?.push(found);
      return (await readFile(join(found, 'Packages'), 'utf8')).trim();
    });
  };
  await archive('one', 'Package: a\nVersion: 1\n');
  assert.equal(await read('one', 900), 'Package: a\nVersion: 1');
  await archive('one', 'Package: a\nVersion: 2\n');
  await utimes(join(work, 'one/Packages'), new Date(), new Date(Date.now() + 5_000));
  assert.equal(await read('one', 900), 'Package: a\nVersion: 1');
  assert.equal(await read('one', 0), 'Package: a\nVersion: 2');
  await archive('two', 'Package: b\nVersion: 1\n');
  assert.equal(await read('two', 900), 'Package: b\nVersion: 1');
  await assert.rejects(read('three', 900), RepositoryRefusal);
  const both: string[] = [];
  await Promise.all([read('two', 900, both), read('two', 900, both)]);
  assert.equal(new Set(both).size, 1);
});
