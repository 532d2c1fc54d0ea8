import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import type { BuildRecord } from '../../server/api/types.ts';
import { until } from './faults/stack.ts';
import { createWorld, type World } from './faults/world.ts';

let world: World;
before(async () => {
  world = await createWorld();
});
after(() => world?.end());

const configuration = `- project:
    check: {jobs: [build-deb]}
    gate: {jobs: [build-deb, publish-deb]}
    post: {jobs: [release-deb]}
`;

it('W17: what check has built the gate takes over, and it is released with a statement that says so', async () => {
  const change = await world.propose('reuse', { 'zuul.yaml': configuration });
  const ended = (pipeline: string, job: string) =>
    until(`the end of ${job} in ${pipeline}`, async () => {
      const found = (await world.builds(change)).find((one) => one.pipeline === pipeline && one.job === job);
      return found?.endTime == null ? undefined : found;
    });
  const result = ({ result: is, summary }: BuildRecord) => `${is} ${summary}`;
  const checked = await ended('check', 'build-deb');
  assert.match(result(checked), /^SUCCESS greeter \S+: 1 package$/);
  await world.stack.sluice('approve', change.id);
  const gated = await ended('gate', 'build-deb');
  assert.match(result(gated), /^SUCCESS greeter \S+: 1 package, reused the build of \S+,1 in check$/);
  const [inputs, again] = [checked, gated].map(({ artifacts }) => artifacts[0]?.metadata?.inputs);
  assert.match(String(inputs), /^sha256:/);
  assert.equal(again, inputs);
  const shown = await world.stack.sluice('artifacts', gated.id);
  assert.match(shown, new RegExp(`inputs ${inputs}, made by the build ${checked.id}`));
  assert.match(result(await ended('post', 'release-deb')), /^SUCCESS .*promoted/);
  assert.equal((await world.released('deb')).packages.length, 1);
});
