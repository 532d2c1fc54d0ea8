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
- project:
    check: {jobs: [unreviewed]}
    gate: {jobs: [on-the-bench]}
    post: {jobs: [noop]}
`;

const program = `#!/bin/sh
echo "$(cat /etc/hostname) is $(cat /root/name 2>&1), and I am $(id -un) in $(pwd)"
pwd > /tmp/left
(sleep 3000 &)
`;

async function ended(world: World, change: Parameters<World['builds']>[0], job: string): Promise<BuildRecord> {
  return until(`the end of ${job}`, async () =>
    (await world.builds(change)).find((build) => build.job === job && build.endTime !== null),
  );
}

test('I10: a job runs on a machine that is there, which is cleaned after it, and by nobody who is not reviewed', async (t) => {
  const [machine] = await startMachines(1);
  assert.ok(machine);
  t.after(() => machine.stop());
  const { host, port, hostKey, key } = machine.settings;
  const secret = await key();
  const bench = {
    ...{ labels: ['bench'], platform: 'debian-12', host, port, hostKey, key: { file: 'data/bench.key' } },
    clean: 'echo "$SLUICE_MACHINE" >> /root/cleaned',
  };
  const world = await createWorld({
    settings: { nodes: { static: { 'bench-1': bench } } },
    furnish: (data) => writeFile(join(data, 'bench.key'), secret, { mode: 0o600 }),
  });
  t.after(() => world.end());
  const change = await world.propose('bench', { 'zuul.yaml': pipelines, 'bench.sh': program });
  const refused = await ended(world, change, 'unreviewed');
  assert.equal(refused.result, 'ERROR');
  assert.match(refused.summary, /bench is a static machine, and unreviewed may run what nobody has reviewed/);
  await world.stack.sluice('approve', change.id);
  const build = await ended(world, change, 'on-the-bench');
  const log = await world.log(build);
  assert.equal(build.result, 'SUCCESS', `${build.summary}\n${log}`);
  assert.match(log, /and I am nobody in \/work\/greeter/);
  const left = await machine.inside(
    'cat /root/cleaned; ls -d /work /tmp/left /sluice 2>&1; cat /proc/[0-9]*/comm | grep -qx sleep || echo quiet',
  );
  assert.match(left, /^bench-1\nbench-1\n/, 'before the first job, and after it');
  assert.match(left, /quiet/);
  assert.doesNotMatch(left, /^\/(work|tmp|sluice)/m);
  const state = await readFile(join(world.stack.data, 'static-machines', 'bench-1.json'), 'utf8');
  assert.equal(JSON.parse(state).state, 'clean');
  assert.doesNotMatch(`${log}${state}`, /PRIVATE KEY/);
});
