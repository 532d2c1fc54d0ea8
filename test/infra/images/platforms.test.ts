import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type Docker from 'dockerode';
import { hostArch } from '../../../activities/host-arch.ts';
import { readAptSettings, withoutArchitecture } from '../../../infra/images/apt-settings.ts';
import { imagesOnNeed, platformsInUse, withControl } from '../../../infra/images/on-need.ts';
import { builtInPlatforms, shippedPlatforms } from '../../../infra/images/platforms.ts';
import { recipesFor, type WantedPlatform } from '../../../infra/images/recipes.ts';
import { foreignTo, rpmName } from '../../../pipelines/model/architecture.ts';
import { imageOf } from '../../../pipelines/model/platform.ts';

const rows = [
  ['debian-12', 'deb', 'bookworm'],
  ['rpm-debian-12', 'rpm', 'deb12'],
  ['debian-13', 'deb', 'trixie'],
  ['rpm-debian-13', 'rpm', 'deb13'],
  ['debian-testing', 'deb', 'forky'],
  ['rpm-debian-testing', 'rpm', 'deb14'],
];
/** Those of this machine's own architecture. */
const ownPlatforms = builtInPlatforms.filter(({ primary }) => primary === undefined);
const foreign = builtInPlatforms.filter(({ primary }) => primary !== undefined);

test('the built-in platforms: each release of Debian for each format, those of the shipped jobs first', () => {
  assert.deepEqual(
    ownPlatforms.map(({ name, format, codename }) => [name, format, codename]),
    rows,
  );
  assert.deepEqual(
    shippedPlatforms.map(({ name }) => name),
    ['debian-12', 'rpm-debian-12'],
  );
});

test('a platform’s images come from its own release of Debian, and from no other', async () => {
  const settings = async (codename: string) => ({ sources: [codename], config: '', preferences: '' });
  for (const platform of ownPlatforms) {
    const recipes = await recipesFor([platform], settings);
    const [, , dist] = rows.find(([name]) => name === platform.name) ?? [];
    const debian = { deb12: 'bookworm', deb13: 'trixie', deb14: 'forky' }[dist ?? ''] ?? dist;
    assert.deepEqual(
      recipes.map(({ image }) => image),
      [`sluice/${debian}:base`, `sluice/${debian}:tools`, platform.testImage, platform.buildImage],
    );
  }
});

test('each is there for the other architecture, too, with images of its own and the first as its primary', async () => {
  const [arch = ''] = foreignTo(hostArch());
  assert.deepEqual(
    foreign.map(({ name, primary, format, codename, arch: called }) => [name, primary, format, codename, called]),
    rows.map(([name, format, codename]) => {
      return [`${name}-${arch}`, name, format, codename, format === 'deb' ? arch : rpmName(arch)];
    }),
  );
  const settings = async () => ({ sources: [], config: '', preferences: '' });
  for (const [nth, platform] of foreign.entries()) {
    const own = await recipesFor(ownPlatforms.slice(nth, nth + 1), settings);
    const recipes = await recipesFor([platform], settings);
    assert.deepEqual(
      recipes.map(({ image, arch: of }) => [image, of]),
      own.map(({ image }) => [image.replace(':', `-${arch}:`), arch]),
    );
    assert.ok(own.every((one) => one.arch === null && recipes.every(({ digest }) => digest !== one.digest)));
  }
});

test('entries of the host’s own architecture serve for images of another', () => {
  const of = { config: '', preferences: '' };
  const sources = ['deb [arch=amd64 signed-by=/k] http://a.test/d x main', 'deb [arch=amd64] http://a.test/d x main'];
  const wanted = ['deb [signed-by=/k] http://a.test/d x main', 'deb http://a.test/d x main'];
  assert.deepEqual(withoutArchitecture({ ...of, sources }).sources, wanted);
  assert.deepEqual(withoutArchitecture({ ...of, sources: wanted }).sources, wanted);
});

test('dnf5 is in the images of RPM packages on testing alone', async () => {
  const settings = async () => ({ sources: [], config: '', preferences: '' });
  const with5 = (await recipesFor(ownPlatforms, settings)).filter(({ scripts }) => scripts.includes('rpm-dnf5.sh'));
  assert.deepEqual(
    with5.map(({ image }) => image),
    ['sluice/rpm-debian-testing:minimal', 'sluice/rpm-debian-testing:build'],
  );
});

test('rpm 4.20 and later run scriptlets without namespaces of their own, which containers may not make', async () => {
  const settings = async () => ({ sources: [], config: '', preferences: '' });
  const all = await recipesFor(ownPlatforms, settings);
  const turned = all.filter(({ scripts }) => scripts.includes('rpm-scriptlets.sh')).map(({ image }) => image);
  const later = ownPlatforms.filter(({ name }) => /^rpm-debian-(?:13|testing)$/.test(name));
  assert.deepEqual(
    turned,
    later.flatMap(({ testImage, buildImage }) => [testImage, buildImage]),
  );
});

test('a release that the host has no source of comes from where the host’s own does', async () => {
  const etc = await mkdtemp(join(tmpdir(), 'etc-'));
  try {
    const root = join(etc, 'apt');
    await mkdir(root);
    const lines = ['/debian bookworm', '/debian bookworm-updates', '/debian bookworm-backports', '/vendor bookworm'];
    const sources = [...lines, '/debian-security/ bookworm-security'].map(
      (line) => `deb http://near.test${line} main\n`,
    );
    await writeFile(join(root, 'sources.list'), sources.join(''));
    const read = async (codename: string) => (await readAptSettings(codename, root)).sources;
    assert.deepEqual(await read('trixie'), [], 'no Debian, as far as is known: nothing is guessed');
    await writeFile(join(etc, 'os-release'), 'ID=debian\nVERSION_CODENAME=bookworm\n');
    assert.deepEqual(await read('trixie'), [
      'deb http://near.test/debian trixie main',
      'deb http://near.test/debian trixie-updates main',
      'deb http://near.test/debian-security/ trixie-security main',
    ]);
    assert.equal((await read('bookworm')).length, 5);
  } finally {
    await rm(etc, { recursive: true });
  }
});

test('only testing’s lists are taken past their Valid-Until, and only its own', async () => {
  const root = await mkdtemp(join(tmpdir(), 'apt-'));
  try {
    const lists = async (codename: string) => (await readAptSettings(codename, root)).sources.join('\n');
    const { sources, config } = await readAptSettings('forky', root);
    assert.deepEqual(sources, [], 'mmdebstrap knows where');
    assert.match(config, /^Acquire::Check-Valid-Until "false";$/m);
    await writeFile(join(root, 'sources.list'), 'deb [arch=amd64] http://a.test/debian forky main\n');
    assert.equal(await lists('forky'), 'deb [arch=amd64 check-valid-until=no] http://a.test/debian forky main');
    for (const codename of ['bookworm', 'trixie']) assert.doesNotMatch(await lists(codename), /valid/);
  } finally {
    await rm(root, { recursive: true });
  }
});

/** An engine that has these images. */
function engine(images: readonly string[]): Docker {
  const inspect = async (name: string) => {
    if (images.includes(name)) return {};
    throw Object.assign(new Error('no such image'), { statusCode: 404 });
  };
  return { getImage: (name: string) => ({ inspect: () => inspect(name) }) } as unknown as Docker;
}

test('images are made when they are needed first, once for all who wait', async () => {
  const platform = builtInPlatforms[2] ?? assert.fail();
  const made: string[] = [];
  let finish = () => {};
  const making = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const make = async (wanted: readonly { readonly name: string }[], tell: (line: string) => void) => {
    made.push(...wanted.map(({ name }) => name));
    tell('it begins');
    await making;
    tell('it ends');
  };
  const [all, one, other, late]: string[][] = [[], [], [], []];
  const hear =
    (lines: string[] = []) =>
    (line: string) =>
      void lines.push(line);
  const prepare = imagesOnNeed(hear(all), engine([platform.testImage]), make);
  const waiting = [prepare(platform, 'builder', hear(one)), prepare(platform, 'system', hear(other))];
  await setImmediate();
  waiting.push(prepare(platform, 'builder', hear(late)));
  await setImmediate();
  finish();
  await Promise.all(waiting);
  assert.deepEqual(made, ['debian-13']);
  // Each log says what its job waits for.
  for (const lines of [all, one, other, late]) assert.deepEqual(lines, ['it begins', 'it ends']);
  const there = imagesOnNeed(() => {}, engine([platform.testImage, platform.buildImage]), make);
  await there(platform);
  assert.deepEqual(made, ['debian-13']);
});

test('the image for playbooks is made when a node is to run some, and not before', async () => {
  const platform = builtInPlatforms[0] ?? assert.fail();
  const control = imageOf(platform, 'control');
  assert.equal(control, 'sluice/debian-12:control');
  assert.equal(imageOf({ ...platform, images: 'pull', buildImage: 'other:9' }, 'control'), 'other:9');
  assert.equal(imageOf({ ...platform, provider: 'static', buildImage: 'rack' }, 'control'), 'rack');
  const made: unknown[] = [];
  const make = async (wanted: readonly WantedPlatform[]) => void made.push(...wanted.map((one) => one.control));
  const there = [platform.testImage, platform.buildImage];
  await imagesOnNeed(() => {}, engine(there), make)(platform, 'builder');
  assert.deepEqual(made, []);
  await imagesOnNeed(() => {}, engine(there), make)(platform, 'control');
  await imagesOnNeed(() => {}, engine([...there, control]), make)(platform, 'control');
  assert.deepEqual(made, [true]);
  const settings = async () => ({ sources: [], config: '', preferences: '' });
  const images = async (wanted: WantedPlatform) => (await recipesFor([wanted], settings)).map(({ image }) => image);
  assert.deepEqual(await images({ ...platform, control: true }), [...(await images(platform)), control]);
  const [renewed, other] = await withControl(builtInPlatforms, engine([control]));
  assert.deepEqual([renewed?.control, other?.control], [true, undefined]);
});

test('what was not made is tried again by the next who needs it', async () => {
  const platform = builtInPlatforms[2] ?? assert.fail();
  let tries = 0;
  const make = async () => {
    tries += 1;
    if (tries === 1) throw new Error('the archive is away');
  };
  const prepare = imagesOnNeed(() => {}, engine([]), make);
  await assert.rejects(prepare(platform), /archive is away/);
  await prepare(platform);
  assert.equal(tries, 2);
});

test('platforms that have their images are in use, and none that is half made', async () => {
  const images = ['debian-13:minimal', 'debian-13:build', 'trixie:base', 'rpm-debian-13:minimal'];
  const used = await platformsInUse(builtInPlatforms, engine(images.map((image) => `sluice/${image}`)));
  assert.deepEqual(
    used.map(({ name }) => name),
    ['debian-13'],
  );
});
