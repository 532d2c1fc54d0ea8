import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createInstallStage } from '../../../activities/install/install-stage.ts';
import type { JobRepositories } from '../../../activities/install/repositories.ts';
import type { PackageReport } from '../../../activities/install/steps.ts';
import { readTested, standInOn, standIns } from '../../../activities/install/under-test.ts';
import type { Node } from '../../../activities/nodes/packages/node.ts';
import { dnfNode } from '../../../activities/nodes/packages/rpm.ts';
import { createPublishStage } from '../../../activities/publish/publish-stage.ts';
import type { PackageFormat } from '../../../pipelines/model/artifact.ts';
import { makePackage, type Sample } from '../repository/packages.ts';
import {
  leasing,
  readText,
  releasePackages,
  stageContext,
  stageInput,
  stageWorld,
  storeBuild,
  temporaryStore,
} from './stage.ts';

interface Given {
  readonly own: readonly Sample[];
  readonly ahead: readonly Sample[];
  readonly old: readonly Sample[];
}

async function tryOut(t: TestContext, format: PackageFormat, { own, ahead, old }: Given) {
  const world = await stageWorld(t);
  const publish = async (samples: readonly Sample[]) => {
    const files = await Promise.all(samples.map((sample) => makePackage(format, world.directory, sample)));
    const built = await storeBuild(world, format, files);
    return createPublishStage(world)(stageInput(format, { parents: [built] }), await stageContext(t));
  };
  const who = { project: 'other', change: 'I9', patchset: 1, job: 'publish' };
  const provided = (await publish(ahead)).artifacts.map((artifact) => ({ ...artifact, ...who }));
  const { artifacts: parents } = await publish(own);
  const released = await releasePackages(world, format, old);
  const stage = leasing(createInstallStage({ ...world, released: async () => [released], sources: async () => {} }));
  const context = await stageContext(t);
  const result = await stage(stageInput(format, { parents, provided }), context);
  const { packages } = JSON.parse(await readText(world, result, 'install.json'));
  const [first] = packages as readonly PackageReport[];
  return { steps: first?.steps.map(({ step, problem }) => `${step}: ${problem ?? 'good'}`), said: context.said() };
}

test('rpm: a package that needs another one under test is not tried with what was released of that', async (t) => {
  const own = [{ name: 'tool', version: '2.0-1', requires: ['lib'] }];
  const ahead = [{ name: 'lib', version: '2.0-1', requires: ['what-nobody-has'] }];
  const { steps, said } = await tryOut(t, 'rpm', { own, ahead, old: [{ name: 'lib', version: '1.0-1' }] });
  assert.deepEqual(steps, ['install: nothing provides what-nobody-has needed by lib-2.0-1.noarch'], said);
});

test('deb: what the system has itself is brought up to what is under test, whoever needs it', async (t) => {
  // The image has one of Debian's.
  const name = 'libtext-glob-perl';
  const own = [{ name: 'asks', version: '2.0-1', requires: [name] }];
  const { steps, said } = await tryOut(t, 'deb', { own, ahead: [{ name, version: '99:1-1' }], old: [] });
  assert.deepEqual(
    steps,
    ['system', 'install', 'integrity', 'exercise', 'remove'].map((step) => `${step}: good`),
    said,
  );
});

test('what stands in the place of a package under test is seen by its version, of whatever architecture', () => {
  const tested = new Map([
    ['lib', new Set(['1.1'])],
    ['kernel', new Set(['6.2'])],
    ['tool', new Set(['1.0', '1.1'])],
  ]);
  const installed = [
    ['lib:amd64', '1.0'],
    ['lib:i386', '1.0'],
    ['kernel', '6.1'],
    ['kernel', '6.2'],
    ['tool', '0:1.0'],
    ['other', '3'],
  ].map(([name = '', version = '']) => ({ name, version }));
  assert.deepEqual(standIns(installed, tested), [{ name: 'lib', there: '1.0', versions: new Set(['1.1']) }]);
});

test('of what stands in the place of a package under test it is said why that is not there', async () => {
  const why = '  - nothing provides what-nobody-has needed by lib-2.0-1.noarch';
  const node: Node = {
    name: 'node',
    manager: dnfNode,
    signal: new AbortController().signal,
    log: { write: () => {}, section: () => {}, close: () => Promise.reject(new Error('not here')) },
    tested: new Map([['lib', new Set(['2.0-1'])]]),
    machine: {
      exec: async ([program]) =>
        program === 'rpm'
          ? { code: 0, output: 'tool\t2.0-1\nlib\t1.0-1\n', timedOut: false }
          : { code: 1, output: `Error: \n Problem: conflicting requests\n${why}\n`, timedOut: false },
      put: async () => {},
    },
  };
  const installation = { wanted: [{ name: 'tool' }], timeout: 1000 };
  assert.equal(
    await standInOn(node, installation),
    'lib 1.0-1 is installed in the place of 2.0-1, which is under test: nothing provides what-nobody-has needed by lib-2.0-1.noarch',
  );
  assert.equal(await standInOn({ ...node, tested: new Map([['lib', new Set(['1.0-1'])]]) }, installation), null);
});

test('of what changes of one branch have built one after the other the last is under test, of each line its own', async (t) => {
  const store = await temporaryStore(t);
  const built = async (project: string, branch: string, packages: Readonly<Record<string, string>>) => {
    const files = Object.entries(packages).map(([name, version]) => ({ kind: 'binary', package: name, version }));
    const manifest = { platform: 'rpm-debian-12', source: { project, branch }, files };
    const { digest } = await store.put(JSON.stringify(manifest));
    const url = `http://x/${digest.slice(-8)}`;
    return { repository: { url, codename: '', origin: 'test', kind: 'test' }, metadata: { manifest: digest } };
  };
  const offered = {
    own: [await built('tool', 'main', { tool: '5', mine: '1' })],
    provided: [
      await built('lib', 'main', { lib: '1', 'lib-old': '1', mine: '0' }),
      await built('lib', 'main', { lib: '3' }),
      await built('lib', 'stable', { lib: '0:0.9' }),
      await built('lib', 'main', { lib: '2' }),
    ],
  };
  const { provided, versions } = await readTested(store, offered as unknown as JobRepositories);
  assert.deepEqual([...versions].map(([name, some]) => `${name} ${[...some].join(' or ')}`).sort(), [
    ...['lib 2 or 0.9', 'lib-old 1', 'mine 1', 'tool 5'],
  ]);
  const left = provided.map(({ without = [] }) => without.map(({ name, version }) => `${name} ${version}`));
  assert.deepEqual(left, [[], [], ['lib 3'], ['lib 1']], 'the newest is offered first');
});
