import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { keepFirst } from '../files/write.ts';
import { openPrivateDirectory, read } from './keys.ts';
import type { Sealable, Sealer } from './port.ts';

/**
 * Seals jobs with a key that only the server knows: whoever may start workflows can still not make a job that is given
 * secrets.
 *
 * @param directory where the seal's key is kept, beside the keys of the projects
 */
export async function createSealer(directory: string): Promise<Sealer> {
  await openPrivateDirectory(directory);
  const path = join(directory, 'seal');
  const key = (await read(path)) ?? (await keepFirst(path, randomBytes(32).toString('base64url')));
  const seal = (job: Sealable) => createHmac('sha256', key).update(textOf(job)).digest('base64url');
  return {
    seal,
    fits: (job, given) => {
      const [one, two] = [Buffer.from(seal(job)), Buffer.from(given)];
      return one.length === two.length && timingSafeEqual(one, two);
    },
  };
}

/** Lists in a fixed order: the same however the job travelled. */
function textOf({ job, sources, secrets }: Sealable): string {
  const states = sources.map(({ project, branch, commit }) => JSON.stringify([project, branch, commit]));
  const playbooks = secrets.playbooks.map(({ project, branch, path, secrets: seen }) => [
    ...[project, branch, path],
    seen.map(({ name, secret }) => [name, secret]),
  ]);
  const uses = secrets.uses.map(({ secret, project, encrypted }) => [secret, project, encrypted]);
  return JSON.stringify([job, [...new Set(states)].sort(), playbooks, uses, secrets.exposure]);
}
