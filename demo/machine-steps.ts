import { must } from '../activities/process/run.ts';
import type { BuildRecord, DebugView } from '../server/api/types.ts';
import { story } from './changes.ts';
import type { Outcome } from './narrator.ts';
import type { Scene } from './scene.ts';
import type { StoryStep } from './story.ts';

const job = 'systest-deb';

/** How long the restores took that the log of a build tells of, and the boot that they stand for; seconds. */
const restored = /^(\S+): restored in ([0-9.]+) s; .* took ([0-9.]+) s$/gm;

async function lookAtRestores(scene: Scene): Promise<Outcome> {
  const which = ['--project', 'cdbnet', '--pipeline', 'gate', '--job', job];
  const build = testOf(JSON.parse(await scene.sluice('builds', ...which, '--json')) as BuildRecord[], 'SUCCESS');
  const log = await scene.sluice('logs', build.id);
  const machines = [...log.matchAll(restored)].map(([, name, took, boot]) => ({ name, took: Number(took), boot }));
  if (machines.length !== 2) throw new Error(`the log of ${build.id} tells of ${machines.length} machines, not of two`);
  const slowest = Math.max(...machines.map(({ took }) => took));
  return {
    url: `${scene.url}/build/${build.id}`,
    reason: `server and client were there in ${slowest} s, restored from a snapshot; its boot took ${machines[0]?.boot} s`,
  };
}

/** A system test fails on machines, and somebody looks at them as they were then: the service still answers. */
async function lookAtFailure(scene: Scene): Promise<Outcome> {
  const { sluice, narrator } = scene;
  const change = await scene.observer.change(await scene.developer.push(story.wrongAnswer));
  const { builds } = await scene.observer.verdict(change, 'check');
  const build = testOf(builds, 'FAILURE');
  narrator.say(`sluice vm debug ${build.id}`);
  const { nodes } = JSON.parse(await sluice('vm', 'debug', build.id, '--json')) as DebugView;
  const client = nodes.find(({ name }) => name === 'client');
  if (client === undefined) throw new Error('the debug session has no client');
  const look = 'cdbq server 7000 get one';
  const { stdout } = await must('sh', ['-c', `${client.command} '${look}'`]);
  narrator.say(`client$ ${look}`);
  const answer = stdout.trim();
  narrator.say(answer);
  await sluice('vm', 'debug', build.id, '--end');
  if (answer !== '+first') throw new Error(`the server that was restored says ${answer}`);
  return {
    url: `${scene.url}/build/${build.id}`,
    reason: `${build.summary}; on the machines as they failed, the server still answers ${answer}`,
  };
}

function testOf(builds: readonly BuildRecord[], result: string): BuildRecord {
  const found = builds.find((build) => build.job === job);
  if (found?.result === result) return found;
  throw new Error(`${job}: ${found?.result ?? 'was not run'}, not ${result}: ${found?.summary ?? ''}`);
}

/** What is told where the machine has room for virtual machines. */
export const machineSteps: readonly StoryStep[] = [
  { id: 'machines', title: 'The consumer’s system test ran on two virtual machines', tell: lookAtRestores },
  { id: 'debug', title: 'One that fails there is looked at as it was', tell: lookAtFailure },
];
