import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimOf } from '../../../bench/sources/claims.ts';
import { compareErrors, comparePackages, otherContents, plainText } from '../../../bench/sources/compare.ts';
import { readList } from '../../../bench/sources/list.ts';
import type { BuiltPackage } from '../../../bench/sources/packages.ts';
import { summarize } from '../../../bench/sources/summary.ts';
import { renderTable } from '../../../bench/sources/table.ts';
import type { SourceResult } from '../../../bench/sources/try-source.ts';

const built: BuiltPackage = {
  id: 'tool amd64',
  version: '1.0-2',
  fields: { Package: 'tool', Version: '1.0-2', Depends: 'libc6', 'Installed-Size': '30' },
  files: ['-rwxr-xr-x root/root ./usr/bin/tool'],
  scripts: { postinst: 'a' },
  contents: { 'usr/bin/tool': '1', 'usr/share/doc/tool/copyright': '2' },
};
const sluice: BuiltPackage = { ...built, version: '1.0+c1-2', fields: { ...built.fields, Version: '1.0+c1-2' } };

test("the count of commits and build ids are taken out of a text, and no one else's plus sign", () => {
  assert.equal(plainText('tool (= 1.0+c1-2), lib (>= 2+c10)'), 'tool (= 1.0-2), lib (>= 2+c10)');
  assert.equal(plainText('./usr/lib/debug/.build-id/0a/b1c2.debug'), './usr/lib/debug/.build-id/…');
});

test('builds that differ in version count and size alone are the same', () => {
  const other = { ...sluice, fields: { ...sluice.fields, 'Installed-Size': '31' } };
  assert.deepEqual(comparePackages([built], [other]), []);
});

const changes: Readonly<Record<string, readonly [Partial<BuiltPackage>, string]>> = {
  version: [{ version: '1.1+c1-2' }, 'tool amd64: version 1.1+c1-2 for 1.0-2'],
  'a field': [
    { fields: { ...built.fields, Depends: 'libc6, zlib1g' } },
    'tool amd64: Depends: libc6, zlib1g for libc6',
  ],
  'a missing field': [{ fields: { Package: 'tool', Version: '1' } }, 'tool amd64: Depends: nothing for libc6'],
  'a mode': [
    { files: ['-rw-r--r-- root/root ./usr/bin/tool'] },
    'tool amd64: lacks -rwxr-xr-x root/root ./usr/bin/tool',
  ],
  'a script': [{ scripts: {} }, 'tool amd64: another postinst'],
};
for (const [what, [change, line]] of Object.entries(changes)) {
  test(`a difference is told: ${what}`, () => {
    assert.equal(comparePackages([built], [{ ...sluice, ...change }])[0], line);
  });
}

test('a package that only one side has is told', () => {
  assert.deepEqual(comparePackages([built], []), ['tool amd64: not built']);
  assert.deepEqual(comparePackages([], [built]), ['tool amd64: built besides']);
});

test('contents that differ are named', () => {
  const contents = { ...built.contents, 'usr/bin/tool': '9' };
  assert.deepEqual(otherContents([built], [{ ...sluice, contents }]), ['usr/bin/tool']);
});

test('errors of the checker count, whatever numbers stand in them', () => {
  const one = { package: 'tool', severity: 'error', tag: 'bad', detail: 'line 10 of tool-1.0' } as const;
  assert.deepEqual(compareErrors([one], [{ ...one, detail: 'line 12 of tool-1.0+c1' }]), []);
  assert.deepEqual(compareErrors([], [{ ...one, severity: 'warning' }]), []);
  assert.deepEqual(compareErrors([], [one]), ["only Sluice's has tool: bad line # of tool-#.#"]);
});

const result: SourceResult = {
  name: 'tool',
  version: '1.0-2',
  format: '3.0 (quilt)',
  tags: ['patches'],
  same: true,
  differences: [],
  shared: [],
  stages: { build: { result: 'SUCCESS', summary: 'tool', seconds: 12 } },
  packages: 1,
  otherContents: [],
  times: { first: 'sluice', sluice: 12, debian: 10, dependencies: 3, load: [1, 2] },
};

test('the median and the number of equal ends decide', () => {
  const slow = { ...result, times: { ...result.times, sluice: 40 } };
  const many = Array.from({ length: 97 }, () => result);
  const good = summarize([...many, slow, slow, { ...result, same: false }], 100);
  assert.deepEqual([good.same, good.ratio, good.ok], [99, 1.2, true]);
  assert.equal(summarize(many.slice(1), 100).ok, false);
  assert.equal(
    summarize(
      many.map((one) => ({ ...one, times: slow.times })),
      100,
    ).ok,
    false,
  );
});

test('the table has a line for each source, and each failure with its reason', () => {
  const bad = { ...result, name: 'bad', same: false, differences: ['build: FAILURE a | b'] };
  const page = renderTable([result, bad], summarize([result, bad], 100));
  assert.match(page, /^\| tool 1\.0-2 +\| 3\.0 \(quilt\) \| patches +\| ✓ +\| – /m);
  assert.match(page, /^- bad: build: FAILURE a \\\| b$/m);
  assert.match(page, /1 of 2 end as Debian/);
});

for (const [line, claim] of Object.entries({
  'tool: remove: leaves /var/lib/tool/state and 2 more behind': ['tool', 'removed', '/var/lib/tool/state'],
  'lib-dev: integrity: /usr/lib/a.so is a link to a.so.1, which is not there': [
    'lib-dev',
    'installed',
    '/usr/lib/a.so',
  ],
  'tool: exercise: /usr/bin/a b cannot be started: no': null,
  'tool: exercise: /usr/bin/a was killed by signal 11': ['tool', 'installed', '/usr/bin/a'],
  'tool: install: E: held broken packages': null,
})) {
  test(`whether it holds without Sluice can be asked: ${line}`, () => {
    const found = claimOf(line);
    assert.deepEqual(found && [found.package, found.when, found.path], claim);
  });
}

test('the list has a hundred sources of every format, each once', async () => {
  const list = await readList();
  assert.equal(list.length, 100);
  assert.equal(new Set(list.map(({ name }) => name)).size, 100);
  for (const format of ['1.0', '3.0 (quilt)', '3.0 (native)']) {
    assert.ok(list.filter((one) => one.format === format).length >= 10, format);
  }
});
