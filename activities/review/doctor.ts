import type { GitRemote } from '../git/remote.ts';
import { run } from '../process/run.ts';
import type { ConnectionCheck } from './connection.ts';
import type { RestClient } from './rest.ts';
import type { ReadSecret, SecretReference } from './settings.ts';

/** What `sluice doctor --connection` asks of several kinds of hosts alike. */

/** A line of it. @param check answers with what is right, and throws an error with what to do */
export async function line(name: ConnectionCheck['name'], check: () => Promise<string>): Promise<ConnectionCheck> {
  try {
    return { name, ok: true, message: await check() };
  } catch (error) {
    return { name, ok: false, message: (error as Error).message };
  }
}

interface HookSecret {
  readonly webhookSecret: SecretReference | undefined;
  readonly readSecret: ReadSecret;
}

export async function checkHookSecret(connection: string, { webhookSecret, readSecret }: HookSecret): Promise<string> {
  if (webhookSecret === undefined) {
    throw new Error(`connections.${connection}.webhookSecret is not set: without it no webhook is taken`);
  }
  await readSecret(webhookSecret);
  return 'the secret of the webhook can be read';
}

/** A line about projects: it is not right where there are none to look at. */
export function lineOf(
  name: ConnectionCheck['name'],
  projects: readonly unknown[],
  check: () => Promise<string>,
): Promise<ConnectionCheck> {
  if (projects.length > 0) return line(name, check);
  const message = 'Sluice sees no project there that is of this connection: give its account access to them';
  return Promise.resolve({ name, ok: false, message });
}

/** Whether git can read the first of the projects that Sluice's account sees. */
export async function checkFetch(remote: (project: string) => GitRemote, projects: readonly string[]): Promise<string> {
  const [first = ''] = projects;
  const { url, access } = remote(first);
  const env = {
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    ...(await access()),
  };
  const answer = await run('git', ['ls-remote', '--end-of-options', url, 'HEAD'], { env, timeout: 30_000 });
  if (answer.code !== 0) throw new Error(`git cannot read ${url}: give the token the right to read repositories`);
  return `${first} can be read`;
}

/** Milliseconds that the clocks may be apart. */
const mostSkew = 60_000;

export async function checkClock(client: Pick<RestClient, 'skew'>): Promise<string> {
  const skew = await client.skew();
  const seconds = Math.round(Math.abs(skew) / 1000);
  const away = `the host's clock is ${seconds} s ${skew < 0 ? 'behind' : 'ahead of'} ours`;
  if (Math.abs(skew) > mostSkew) throw new Error(`${away}: let both follow the time of the network`);
  return away;
}

/** The first three of a list, and how many more there are. */
export function some(projects: readonly string[]): string {
  const rest = projects.length - 3;
  return projects.slice(0, 3).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
