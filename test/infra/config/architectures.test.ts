import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostArch } from '../../../activities/host-arch.ts';
import { ownArchitectureFaults } from '../../../infra/config/architectures.ts';
import { InvalidConfiguration, parseConfig } from '../../../infra/config/load.ts';
import { releaseRules } from '../../../infra/config/release-rules.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import { builtInArchitectures } from '../../../pipelines/model/architecture.ts';
import { lineOf } from '../../../pipelines/model/release-line.ts';

const both = builtInArchitectures.join(', ');
const other = builtInArchitectures.find((arch) => arch !== hostArch()) ?? assert.fail();
const foreign = builtInPlatforms.find(({ primary }) => primary === 'debian-13')?.name ?? assert.fail();
const own = `{format: deb, codename: x, arch: ${other}, buildImage: b, testImage: t`;

function problems(text: string): string[] {
  try {
    parseConfig({ path: 'sluice.yaml', text, directory: '/conf', env: {} });
  } catch (error) {
    assert.ok(error instanceof InvalidConfiguration);
    return error.message.split('\n');
  }
  return [];
}

const rows: readonly [text: string, wanted: RegExp | null][] = [
  [`projects:\n  a: {templates: [deb-package], arch: [${both}]}\n`, null],
  [`projects:\n  a: {arch: [${hostArch()}]}\n`, null],
  // Who asks a server may be on a machine of another architecture.
  [`projects:\n  a: {templates: [deb-package], arch: [${other}]}\n`, null],
  [
    `projects:\n  a: {arch: [${both}]}\n`,
    /^sluice\.yaml:2:.*: projects\.a\.arch: is for projects with the templates deb-package or rpm-package/,
  ],
  [
    'projects:\n  a: {templates: [deb-package], arch: [vax]}\n',
    /^sluice\.yaml:2:.*: projects\.a\.arch\.0: expected amd64 or arm64/,
  ],
  [`platforms:\n  p: ${own}, primary: debian-12}\n`, null],
  [
    `platforms:\n  p: ${own}, primary: debian-31}\n`,
    /platforms\.p\.primary: there is no platform debian-31: there are debian-12, /,
  ],
  [`platforms:\n  p: ${own}, primary: rpm-debian-12}\n`, /platforms\.p\.primary: must be for deb packages, as p is/],
  [
    `platforms:\n  p: ${own}, primary: ${foreign}}\n`,
    /platforms\.p\.primary: must be debian-13, the primary of debian-13-/,
  ],
  [
    `platforms:\n  p: ${own}, primary: q}\n  q: ${own}}\n`,
    /platforms\.p\.primary: must be of another architecture than p: both are/,
  ],
  [`release: {lines: {one: {platforms: [debian-13, ${foreign}]}}}\n`, null],
  [
    `release: {lines: {one: {platforms: [debian-13]}, other: {platforms: [${foreign}]}}}\n`,
    /^sluice\.yaml:1:\d+: release\.lines\.other\.platforms\.0: \S+ is released where debian-13 is, .*: name debian-13$/,
  ],
  [
    `platforms:\n  p: ${own}, primary: debian-12}\nrelease: {lines: {one: {platforms: [p]}}}\n`,
    /^sluice\.yaml:3:\d+: release\.lines\.one\.platforms\.0: p is released where debian-12 is/,
  ],
];

for (const [text, wanted] of rows) {
  test(`architectures in sluice.yaml: ${JSON.stringify(text)}`, () => {
    const [first, ...more] = problems(text);
    assert.deepEqual(more, []);
    if (wanted === null) assert.equal(first, undefined);
    else assert.match(first ?? '', wanted);
  });
}

test('a server of another architecture asks for that one', () => {
  const projects = { a: { templates: ['deb-package'], arch: ['amd64'] } };
  assert.deepEqual(ownArchitectureFaults(projects, 'amd64'), []);
  assert.match(ownArchitectureFaults(projects, 'arm64')[0]?.message ?? '', /^must have arm64/);
});

test('what is built for another architecture is released where its primary’s packages are', () => {
  const text = 'release: {lines: {deb-13: {platforms: [debian-13]}}}';
  const rules = releaseRules(parseConfig({ path: 'sluice.yaml', text, directory: '/conf', env: {} }));
  const repository = (platform: string) => lineOf(rules, { format: 'deb', platform, branch: 'main' }).repository;
  assert.deepEqual(['debian-13', foreign, 'debian-12'].map(repository), ['deb-13', 'deb-13', 'deb']);
});
