import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { ask } from './faults.ts';

/** Looks at what still runs, and milliseconds between two of them. */
const looks = 100;
const pause = 100;
/** Processes that are allowed beyond the container's limit, for the one that ends the others. */
const spare = 64;

/**
 * Kills everything in a container but process 1, until the engine's own list of its processes, which nothing inside
 * can forge, holds no other: then nobody is left to change a file.
 *
 * @throws when something cannot be ended.
 */
export async function endPrograms(container: Docker.Container): Promise<void> {
  let left = await others(container);
  for (let look = 0; left.length > 0; look++) {
    if (look === looks) throw new Error(`programs in the container cannot be ended: ${left.join(', ')}`);
    if (look % 10 === 0) await killAll(container);
    if (look > 0) await sleep(pause);
    left = await others(container);
  }
}

/** Kills everything in the container but process 1, also where it has as many processes as it may. */
export async function killAll(container: Docker.Container): Promise<void> {
  try {
    await kill(container);
  } catch {
    const { HostConfig } = await ask('look at a container', container.inspect());
    const limit = HostConfig.PidsLimit ?? 0;
    if (limit > 0) await ask('make room for a process', container.update({ PidsLimit: limit + spare }));
    await kill(container);
  }
}

async function kill(container: Docker.Container): Promise<void> {
  const killer = await ask('end programs', container.exec({ Cmd: ['/bin/sh', '-c', 'kill -KILL -1'], User: 'root' }));
  const answer = await ask('end programs', killer.start({ Detach: true }));
  answer.destroy();
}

/**
 * Programs that run besides process 1 and the `sleep` by which it waits. Orphans are children of process 1 as well, and
 * call themselves as they like: they are told apart by whose they are, and by there being one child too many.
 */
async function others(container: Docker.Container): Promise<readonly string[]> {
  const { State } = await ask('look at a container', container.inspect());
  const { Processes } = (await ask('list programs', container.top({ ps_args: '-eo pid,ppid,uid,comm' }))) as {
    readonly Processes: readonly (readonly string[])[];
  };
  const first = Processes.find(([pid]) => Number(pid) === State.Pid);
  const rest = Processes.filter((each) => each !== first);
  const waits = rest.find((each) => each[1] === first?.[0] && each[2] === first?.[2] && each[3] === 'sleep');
  return rest.filter((each) => each !== waits).map(([, , uid, name]) => `${name} of user ${uid}`);
}
