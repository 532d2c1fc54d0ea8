import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Change } from '../../pipelines/model/change.ts';
import type { Stage } from '../../pipelines/model/job.ts';
import type { BuildRecord } from '../../server/api/types.ts';
import { type Part, until } from './faults/stack.ts';
import { createWorld, formats, type World } from './faults/world.ts';

let world: World;
before(async () => {
  world = await createWorld();
});
after(() => world?.end());

/** Proposes a new greeting, which a user approves at once. */
async function approved(word: string): Promise<Change> {
  const change = await world.propose(word, { greeter: `#!/bin/sh\n# ${word}\necho "Hello, \${1:-world}"\n` });
  await world.stack.sluice('approve', change.id);
  return change;
}

/** Waits until a worker is at one of the stages. */
async function atWork(change: Change, ...stages: readonly Stage[]): Promise<readonly BuildRecord[]> {
  return until(`${stages.join(' or ')} at work`, async () => {
    const builds = await world.builds(change);
    const working = builds.filter((build) => stages.some((stage) => stage === build.stage) && world.isAtWork(build));
    if (working.length > 0) return working;
    const left = builds.filter(({ endTime }) => endTime === null);
    assert.ok(left.length > 0 || builds.length === 0, `${stages.join(' and ')} went by`);
    return undefined;
  });
}

/** Kills the part that is at work in each of the stages, whatever their order. */
async function killInEach(change: Change, part: Part, stages: readonly Stage[]): Promise<void> {
  for (let left = stages; left.length > 0; ) {
    const working = await atWork(change, ...left);
    await world.stack.kill(part);
    left = left.filter((stage) => !working.some((build) => build.stage === stage));
  }
}

/** Waits until a step of the release is under way: its record, a state that is not shown yet, a mirror transaction. */
function releasing(change: Change, step: 'begun' | 'staged' | 'mirroring'): Promise<true> {
  return until(`the release is ${step}`, async () => {
    if (step === 'staged') return (await world.isStaged()) || undefined;
    const { releases, mirrors } = await world.status();
    if (step === 'mirroring') return mirrors.some(({ outcome }) => outcome === 'running') || undefined;
    return releases.some((release) => release.change === change.id) || undefined;
  });
}

/** Killed workers leave containers: those that come after them remove these. */
async function assertNothingLeft(change: Change): Promise<void> {
  for (const { id } of await world.builds(change)) assert.deepEqual(await world.containers(id), [], id);
}

/** The change ended as if nothing had happened: tested once, merged once, each package published and mirrored once. */
async function assertUndisturbed(change: Change): Promise<void> {
  await until('the end of the release', async () => {
    const stopped = (await world.builds(change)).find(({ result }) => result === 'FAILURE');
    assert.ok(stopped === undefined, `${stopped?.job}: ${stopped?.summary}`);
    const sets = await world.buildSets(change);
    return sets.some(({ pipeline, result }) => pipeline === 'post' && result !== null) || undefined;
  });
  const merged = await world.merged();
  assert.equal(merged.filter((subject) => subject === change.subject).length, 1, merged.join('\n'));
  const order = merged.length - 1;
  await until('the mirrors', async () => {
    const shown = await Promise.all(formats.flatMap((format) => world.mirrored(format)));
    return shown.flat().every((packages) => packages.length === order) || undefined;
  });
  const ends = (await world.buildSets(change)).map(({ pipeline, result }) => `${pipeline} ${result}`);
  assert.deepEqual(ends.filter((end) => !end.startsWith('check')).sort(), ['gate SUCCESS', 'post SUCCESS']);
  for (const { job, attempt, result, summary } of await world.builds(change))
    assert.deepEqual({ job, attempt, result, summary }, { job, attempt: 1, result: 'SUCCESS', summary });
  await assertNothingLeft(change);
  const releases = (await world.status()).releases.filter((release) => release.change === change.id);
  assert.deepEqual(
    releases.map(({ state, packages }) => `${state} ${packages[0]?.format}`).sort(),
    formats.map((format) => `published ${format}`),
  );
  for (const format of formats) {
    const { states, packages } = await world.released(format);
    assert.equal(states, order, `${format}: one new state`);
    assert.equal(packages.length, order, `${format}: ${packages.join(' ')}`);
    for (const shown of await world.mirrored(format)) assert.deepEqual(shown, packages);
  }
}

/** A project's configuration with one job, in `check`. */
function checkOnly(job: string): string {
  return `- project: {check: {jobs: [${job}]}}\n`;
}

/** The only build of a change that is checked, once it has ended. */
function ended(change: Change): Promise<BuildRecord> {
  return until('the end of the check', async () => {
    const [build, second] = await world.builds(change);
    assert.equal(second, undefined, 'one build is enough');
    return build?.endTime != null ? build : undefined;
  });
}

describe('faults', () => {
  it('a build worker killed in every stage, signer and server in the release: the change ends as if nothing was', async () => {
    const change = await approved('workers');
    await killInEach(change, 'build worker', ['build', 'lint', 'publish', 'install', 'systest']);
    await releasing(change, 'begun');
    await world.stack.kill('signer');
    await releasing(change, 'staged');
    await world.stack.kill('server');
    await releasing(change, 'mirroring');
    await world.stack.kill('server');
    await assertUndisturbed(change);
  });

  it('server, Temporal, and then everything killed at once: the change ends as if nothing was', async () => {
    const change = await approved('everything');
    await atWork(change, 'build');
    await world.stack.kill('server');
    await atWork(change, 'lint', 'publish');
    await world.stack.kill('Temporal');
    await atWork(change, 'install', 'systest');
    await world.stack.killAll();
    await world.stack.start();
    await releasing(change, 'staged');
    await world.stack.killAll();
    await world.stack.start();
    await assertUndisturbed(change);
  });

  it('a container engine that goes away is named and waited for, and says nothing against the package', async () => {
    const change = await world.propose('engine', { 'zuul.yaml': checkOnly('build-deb') });
    const [build] = await atWork(change, 'build');
    assert.ok(build);
    world.engine.away();
    const said = async () =>
      /the container engine is away: .*\n[\s\S]*Attempt \d+, after a fault/.test(await world.log(build)) || undefined;
    await until('the log names the engine', said);
    // Nor does a worker that starts meanwhile need it to be there.
    await world.stack.kill('build worker');
    await sleep(3_000);
    await world.engine.back();
    const { result, attempt } = await ended(change);
    assert.deepEqual({ result, attempt }, { result: 'SUCCESS', attempt: 1 });
    await assertNothingLeft(change);
  });

  it('a build that fills its disk ends with DISK_FULL, and with the setting that limits it', async () => {
    const rules = '#!/usr/bin/make -f\n\n%:\n\tdh $@\n\noverride_dh_auto_build:\n\thead -c 100M /dev/zero > fill\n';
    const small = '- nodeset: {name: small, nodes: [{name: node, label: small-disk}]}\n';
    const job = '- job: {name: build-small, parent: package-build, nodeset: small}\n';
    const files = { 'zuul.yaml': `${small}${job}${checkOnly('build-small')}`, 'debian/rules': rules };
    const { result, summary } = await ended(await world.propose('disk', files));
    assert.equal(result, 'DISK_FULL');
    assert.equal(summary, "build: the disk is full: the build may use 64 MiB (the platform's diskMiB)");
  });
});
