import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { BuildRecord } from '../../server/api/types.ts';
import { startMachines } from '../activities/nodes/static/machines.ts';
import { until } from './faults/stack.ts';
import { createWorld, type World } from './faults/world.ts';

const pipelines = `- job:
    name: on-the-bench
    post-review: true
    run: bench.sh
    nodeset: {nodes: [{name: bench, label: bench}]}
- job:
    name: unreviewed
    run: bench.sh
    nodeset: {nodes: [{name: bench, label: bench}]}
- job:
    name: systest-bench
    parent: package-systest
    post-review: true
    dependencies: publish-deb
    requires: deb-repository
    nodeset: {nodes: [{name: server, label: bench}, {name: client, label: bench}]}
- project:
    check: {jobs: [unreviewed]}
    gate: {jobs: [on-the-bench, build-deb, publish-deb, systest-bench]}
    post: {jobs: [noop]}
`;

const scenario = `install: {server: [greeter], client: [greeter]}
steps:
  - {name: it greets, on: client, run: greeter, expect: "Hello, world"}
  - {name: the other is known, on: client, run: getent hosts server, expect: server}
`;

const program = `#!/bin/sh
echo "$(cat /etc/hostname) is $(cat /root/name 2>&1), and I am $(id -un) in $(pwd)"
pwd > /tmp/left
(sleep 3000 &)
`;

async function ended(world: World, change: Parameters<World['builds']>[0], job: string): Promise<BuildRecord> {
  for (let patience = 3; ; patience -= 1) {
    try {
      return await until(`the end of ${job}`, async () =>
        (await world.builds(change)).find((build) => build.job === job && build.endTime !== null),
      );
    } catch (error) {
      if (patience === 0 || !/not so after/.test(String(error))) throw error;
    }
  }
}

test('I10: jobs run on machines that are there, which are cleaned after them, and by nobody who is not reviewed', async (t) => {
  const machines = await startMachines(2);
  t.after(() => Promise.all(machines.map((machine) => machine.stop())));
  const secret = (await machines[0]?.settings.key()) ?? '';
  const clean = 'echo "$SLUICE_MACHINE" >> /root/cleaned; dpkg --purge greeter; rm -f /etc/apt/sources.list.d/sluice*';
  const entries = machines.map(({ settings: { host, hostKey } }, index) => [
    `bench-${index}`,
    { labels: ['bench'], platform: 'debian-12', host, hostKey, key: { file: 'data/bench.key' }, clean },
  ]);
  const world = await createWorld({
    settings: { nodes: { static: Object.fromEntries(entries) } },
    furnish: (data) => writeFile(join(data, 'bench.key'), secret, { mode: 0o600 }),
  });
  t.after(() => world.end());
  const files = { 'zuul.yaml': pipelines, 'bench.sh': program, 'sluice/systest/pair.yaml': scenario };
  const change = await world.propose('bench', files);
  await until('the check is refused', async () => {
    const told = await world.stack.sluice('change', 'show', change.id);
    return (
      /"unreviewed" may run what nobody has reviewed, and "bench" is a label of static machines/.test(told) || undefined
    );
  });
  await world.stack.sluice('approve', change.id);
  const build = await ended(world, change, 'on-the-bench');
  const log = await world.log(build);
  assert.equal(build.result, 'SUCCESS', `${build.summary}\n${log}`);
  assert.match(log, /and I am nobody in \/work\/greeter/);
  assert.doesNotMatch(log, /PRIVATE KEY/);
  const tested = await ended(world, change, 'systest-bench');
  assert.equal(tested.result, 'SUCCESS', `${tested.summary}\n${await world.log(tested)}`);
  assert.match(await world.log(tested), /server, client: machines with networks of their own, which stay open/);
  for (const [index, machine] of machines.entries()) {
    // One that could not be cleaned at once, on a machine that is busy, is cleaned by the next look.
    await until(`bench-${index} is clean`, async () => {
      const state = await readFile(join(world.stack.data, 'static-machines', `bench-${index}.json`), 'utf8');
      return JSON.parse(state).state === 'clean' || undefined;
    });
    const look =
      'ls -d /work /tmp/left /sluice 2>&1; cat /proc/[0-9]*/comm | grep -qx sleep || echo quiet; cat /etc/hosts';
    const left = await machine.inside(look);
    assert.match(left, /quiet/);
    assert.doesNotMatch(left, /^\/(work|tmp|sluice)|# sluice/m);
    assert.match(await machine.inside('cat /root/cleaned'), new RegExp(`^(bench-${index}\n){2,4}$`));
    assert.match(await machine.inside('dpkg -s greeter 2>&1 || :'), /is not installed/);
  }
  const nodes = await world.stack.sluice('nodes');
  assert.match(nodes, /^bench-0 +bench +free$/m);
});
