import type { ConnectionCheck } from '../connection.ts';
import { checkClock as checkSkew, line, some } from '../doctor.ts';
import type { ReadSecret } from '../settings.ts';
import type { Desk } from './look.ts';
import { directoryOf, type UrlSettings } from './remote.ts';
import { notesPrefix } from './schema.ts';

export interface CheckSettings {
  readonly desk: Desk;
  readonly settings: UrlSettings;
  readonly readSecret: ReadSecret;
  readonly poll: number;
}

/** Asks the live host whether all is as Sluice needs it: each line says what to do where it is not. */
export async function checkConnection(about: CheckSettings): Promise<readonly ConnectionCheck[]> {
  const [first] = about.desk.projects();
  const login = await line('login', () => checkLogin(about, first));
  if (!login.ok || first === undefined) return [login];
  return [
    login,
    await line('events', async () => `looked at every ${about.poll / 1000} s`),
    await line('git', () => checkGit(about)),
    await line('labels', async () => `votes are notes in ${notesPrefix}NAME: nothing has to be set up`),
    await line('rights', () => checkRights(about)),
    await line('webhook', () => checkHook(about)),
    await line('clock', () => checkClock(about)),
  ];
}

async function checkLogin({ desk, settings }: CheckSettings, first: string | undefined): Promise<string> {
  if (first === undefined) {
    throw new Error(`sluice.yaml has no project of it: add {connection: ${desk.connection}} to one under "projects"`);
  }
  await desk.client.list(first);
  return `${settings.url} answers`;
}

async function checkGit({ desk }: CheckSettings): Promise<string> {
  const projects = desk.projects();
  const empty: string[] = [];
  for (const project of projects) {
    if ((await desk.client.list(project)).branches.size === 0) empty.push(project);
  }
  if (empty.length > 0) throw new Error(`there is no branch in ${some(empty)}: push one`);
  return `${projects.length} of ${projects.length} projects can be read`;
}

async function checkRights({ desk }: CheckSettings): Promise<string> {
  for (const project of desk.projects()) {
    await desk.client.tryNote(project, desk.self).catch((error: Error) => {
      throw new Error(`${error.message}: let Sluice push there, and to the branches that it merges into`);
    });
  }
  return 'notes can be pushed; a hook of the host may still refuse a push to a branch';
}

async function checkHook({ desk, settings, readSecret }: CheckSettings): Promise<string> {
  if (settings.webhookSecret === undefined) return 'no hook: what happens is seen at the next look';
  await readSecret(settings.webhookSecret);
  return `the secret can be read; a hook posts to …/api/connection/${desk.connection}/payload`;
}

async function checkClock({ settings: { url } }: CheckSettings): Promise<string> {
  if (directoryOf(url) !== null) return 'it is on this machine';
  if (!/^https?:/.test(url)) return 'this host tells no time; Sluice goes by its own';
  const answer = await fetch(url, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(30_000) });
  const date = Date.parse(answer.headers.get('date') ?? '');
  if (Number.isNaN(date)) return 'this host tells no time; Sluice goes by its own';
  return checkSkew({ skew: async () => date - Date.now() });
}
