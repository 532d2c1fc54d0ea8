import { join } from 'node:path';
import type { PackageFormat } from '../pipelines/model/artifact.ts';
import type { Change } from '../pipelines/model/change.ts';
import type { DemoChange } from './changes.ts';
import { story } from './changes.ts';
import { installFromMirror } from './client-machine.ts';
import { changeId } from './developer.ts';
import { refuseIntruders } from './intruder.ts';
import type { Outcome } from './narrator.ts';
import type { Verdict } from './observer.ts';
import { projectNames } from './packages.ts';
import type { Scene } from './scene.ts';

/** One step of the story: what it is about, and what it comes to. */
export interface StoryStep {
  readonly id: string;
  readonly title: string;
  readonly tell: (scene: Scene) => Promise<Outcome>;
}

/** The story step by step. @throws StoryEnded at the first one that is not as told */
export async function tellStory(scene: Scene, steps: readonly StoryStep[]): Promise<void> {
  for (const { id, title, tell } of steps) await scene.narrator.step(id, title, () => tell(scene));
}

/** A package's way through check. */
const stageOrder: readonly string[] = ['build', 'lint', 'publish', 'install', 'systest'];

/** Where each bad change is stopped, and why. */
const stops = [
  ['build', 'does not compile'],
  ['lint', 'lint refuses'],
  ['install', 'installs but whose program crashes'],
] as const;

async function addProjects({ forge, developer, sources, url }: Scene): Promise<Outcome> {
  for (const name of projectNames) {
    const upstream = await developer.importSource(name, join(sources, name));
    await forge.enroll(name, upstream);
  }
  return { url, reason: `${projectNames.join(', ')} share the queue “core”` };
}

async function releaseBaseline({ sluice, observer, narrator, url }: Scene): Promise<Outcome> {
  for (const name of projectNames) {
    await sluice('enqueue', '--pipeline', 'post', '--project', name, '--branch', 'master');
    // One after the other: cdbnet is built with what tinycdb has released.
    const done = await observer.until(`the release of ${name}`, ({ releases }) => {
      const own = releases.filter(({ project }) => project === name);
      const failed = own.find(({ state }) => state === 'failed');
      if (failed) throw new Error(`${name}: ${failed.summary}`);
      return own.length === 2 && own.every(({ state }) => state === 'published') ? own : undefined;
    });
    for (const { summary } of done) narrator.say(`${name}  ${summary}`);
  }
  return { url: `${url}/released/`, reason: 'six releases, signed, each package with its provenance' };
}

async function push(scene: Scene, demo: DemoChange): Promise<Change> {
  return await scene.observer.change(await scene.developer.push(demo));
}

async function checkGood(scene: Scene): Promise<Outcome> {
  const change = await push(scene, story.goodChange);
  const verdict = await scene.observer.verdict(change, 'check');
  expect(verdict.result === 'SUCCESS', `check says ${verdict.result}: ${reasonOf(verdict)}`);
  return { url: changeUrl(scene, change), reason: `${verdict.builds.length} jobs passed` };
}

async function checkBad(scene: Scene, demo: DemoChange, stage: string): Promise<Outcome> {
  const change = await push(scene, demo);
  const verdict = await scene.observer.verdict(change, 'check');
  const failed = verdict.builds.filter(({ result }) => result === 'FAILURE');
  expect(verdict.result === 'FAILURE' && failed.length > 0, `check says ${verdict.result}, not FAILURE`);
  // Check goes on to tell all that is wrong: what the first fault leads to may fail as well.
  const first = failed.toSorted((a, b) => stageOrder.indexOf(a.stage) - stageOrder.indexOf(b.stage))[0];
  expect(first?.stage === stage, `stopped at ${first?.job}, not at ${stage}: ${first?.summary}`);
  await expectRemark(scene, change, demo);
  return { url: changeUrl(scene, change), reason: `${first.job}: ${first.summary}` };
}

/** Where the forge has comments on lines, what lint says of one stands there. */
async function expectRemark({ developer, narrator }: Scene, change: Change, { remark }: DemoChange): Promise<void> {
  if (remark === undefined) return;
  const found = await developer.remark(change, ({ file, line, message }) => {
    return file === remark.file && line !== undefined && message.includes(remark.tag);
  });
  if (found === null) return;
  narrator.say(`${found.file}:${found.line}  ${found.message}`);
}

async function gateThree(scene: Scene): Promise<Outcome> {
  const changes: Change[] = [];
  for (const demo of story.gateChanges) {
    const change = await push(scene, demo);
    await scene.forge.approve(change);
    changes.push(change);
  }
  const verdicts = await Promise.all(changes.map((change) => scene.observer.verdict(change, 'gate')));
  const [library, clash, consumer] = verdicts as [Verdict, Verdict, Verdict];
  expect(library.result === 'SUCCESS', `the library's change: ${library.result}: ${reasonOf(library)}`);
  expect(clash.result === 'FAILURE', `the clashing change: ${clash.result}, not FAILURE`);
  expect(
    clash.builds.some(({ stage, result }) => stage === 'systest' && result === 'FAILURE'),
    'it was not the system test',
  );
  expect(consumer.result === 'SUCCESS', `the consumer's change: ${consumer.result}: ${reasonOf(consumer)}`);
  expect(consumer.buildSets.length > 1, 'the consumer was not tested again');
  scene.narrator.say(`rejected ${changes[1]?.id}: ${reasonOf(clash)}`);
  const retests = consumer.buildSets.length - 1;
  return {
    url: scene.url,
    reason: `two merged, one rejected; the last was tested again ${retests === 1 ? 'once' : `${retests} times`} without it`,
  };
}

async function awaitMirrors({ observer, mirrors }: Scene): Promise<Outcome> {
  const released = await observer.until('the release of the merged changes', ({ releases }) => {
    const failed = releases.find(({ state }) => state === 'failed');
    if (failed) throw new Error(`${failed.project}: ${failed.summary}`);
    const done = releases.filter(({ state }) => state === 'published');
    return done.length === 10 ? done : undefined;
  });
  const last = (format: string) => {
    const own = released.filter(({ packages }) => packages.some((one) => one.format === format));
    return Math.max(...own.map(({ endTime }) => endTime ?? 0));
  };
  await observer.until('both mirror sets', ({ mirrors: sets }) => {
    const settled = ['deb', 'rpm'].map((set) =>
      sets.find((each) => each.set === set && each.startTime >= last(set) && each.endTime !== null),
    );
    const failed = settled.find(
      (each) => each !== undefined && each.outcome !== 'committed' && each.outcome !== 'unchanged',
    );
    if (failed) throw new Error(`mirror set ${failed.set}: ${failed.outcome}`);
    return settled.every((each) => each !== undefined) ? settled : undefined;
  });
  const promoted = released.filter(({ origin }) => origin === 'promoted').length;
  return {
    url: `${mirrors.web}/m1/deb/stable/`,
    reason: `${promoted} releases promoted from the gate without building again; RPM and DEB mirrored apart`,
  };
}

async function installReleased({ provider, mirrors, platforms, data }: Scene, format: PackageFormat): Promise<Outcome> {
  const mirror = format === 'deb' ? 'm1' : 'm2';
  const url = `${mirrors.web}/${mirror}/${format}/stable`;
  const key = join(data, 'released', format, 'archive-key.asc');
  const count = 'printf "+3,5:one->first\\n\\n" | cdb -c /tmp/new.cdb && cdbcount /tmp/new.cdb';
  const proof = ['sh', '-c', count];
  const output = await installFromMirror(provider, {
    platform: platforms[format],
    url,
    key,
    packages: ['tinycdb', 'cdbnet'],
    proof,
  });
  expect(output.endsWith('1'), `the new tool says ${output}`);
  return { url, reason: 'tinycdb and cdbnet installed, signatures checked; the new cdbcount runs' };
}

async function retrigger(scene: Scene): Promise<Outcome> {
  const job = 'install-deb';
  const change = await scene.observer.change(changeId(story.goodChange.id));
  await scene.sluice('retrigger', job, '--change', change.id);
  const again = await scene.observer.attempt(change, job, 2);
  expect(again.result === 'SUCCESS', `attempt 2 of ${job}: ${again.result}: ${again.summary}`);
  return { url: `${scene.url}/build/${again.id}`, reason: `attempt ${again.attempt} of ${job}: ${again.summary}` };
}

function changeUrl({ url }: Scene, change: Change): string {
  return `${url}/change/${encodeURIComponent(change.id)}`;
}

function reasonOf({ builds }: Verdict): string {
  const others = builds.filter(({ result, voting }) => voting && result !== 'SUCCESS' && result !== 'CANCELED');
  const failed = others.find(({ result }) => result === 'FAILURE') ?? others[0];
  return failed ? `${failed.job}: ${failed.summary}` : 'no job failed';
}

function expect(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}

const stopped = stops.map(([stage, why], index): StoryStep => {
  const change = story.badChanges[index] as DemoChange;
  const title = `A change that ${why} is stopped at ${stage}`;
  return { id: change.id, title, tell: (scene) => checkBad(scene, change, stage) };
});

const install = (['deb', 'rpm'] as const).map((format): StoryStep => {
  const title = `A clean ${format === 'deb' ? 'Debian' : 'RPM'} system installs them from a mirror`;
  return { id: `install-${format}`, title, tell: (scene) => installReleased(scene, format) };
});

/** All of it. */
export const wholeStory: readonly StoryStep[] = [
  { id: 'projects', title: 'Three repositories come under the gate', tell: addProjects },
  { id: 'baseline', title: 'What they hold is built, signed and released as it is', tell: releaseBaseline },
  { id: 'good', title: 'A good change passes check on both formats', tell: checkGood },
  ...stopped,
  { id: 'intruder', title: 'A change that nobody has approved tries to release itself', tell: refuseIntruders },
  { id: 'gate', title: 'Three approved changes in one queue', tell: gateThree },
  { id: 'mirrors', title: 'The merged packages are released and on both mirrors', tell: awaitMirrors },
  ...install,
  { id: 'retrigger', title: 'One job is run again', tell: retrigger },
];
