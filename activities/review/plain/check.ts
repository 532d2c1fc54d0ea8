import type { ConnectionCheck } from '../connection.ts';
import { checkClock as checkSkew, line, some } from '../doctor.ts';
import type { ReadSecret } from '../settings.ts';
import { NoProject } from './client.ts';
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
  let found: Found = { there: [], empty: [], absent: [] };
  const login = await line('login', async () => {
    found = await findProjects(about);
    return `${about.settings.url} answers`;
  });
  if (!login.ok) return [login];
  return [
    login,
    await line('events', async () => `looked at every ${about.poll / 1000} s`),
    await line('git', async () => saidOf(about, found)),
    await line('labels', async () => `votes are notes in ${notesPrefix}NAME: nothing has to be set up`),
    await line('rights', () => checkRights(about, found)),
    await line('webhook', () => checkHook(about)),
    await line('clock', () => checkClock(about)),
  ];
}

/** Projects of the connection by what the host says of them. */
interface Found {
  readonly there: readonly string[];
  /** Those of the first that have no branch. */
  readonly empty: readonly string[];
  readonly absent: readonly string[];
}

/** @throws Error when the host does not answer, or has none of them: then it may be another one */
async function findProjects({ desk }: CheckSettings): Promise<Found> {
  const [there, empty, absent]: [string[], string[], string[]] = [[], [], []];
  let first: NoProject | undefined;
  for (const project of desk.projects()) {
    try {
      const { branches } = await desk.client.list(project);
      there.push(project);
      if (branches.size === 0) empty.push(project);
    } catch (error) {
      if (!(error instanceof NoProject)) throw error;
      first ??= error;
      absent.push(project);
    }
  }
  if (there.length > 0) return { there, empty, absent };
  const none = `sluice.yaml has no project of it: add {connection: ${desk.connection}} to one under "projects"`;
  throw first ?? new Error(none);
}

function saidOf({ settings }: CheckSettings, { there, empty, absent }: Found): string {
  if (absent.length > 0) {
    const remedy = 'name them under "projects" in sluice.yaml as they are called there, or take them out';
    throw new Error(`there is no ${some(absent)} at ${settings.url}: ${remedy}`);
  }
  if (empty.length > 0) throw new Error(`there is no branch in ${some(empty)}: push one`);
  return `${there.length} of ${there.length} projects can be read`;
}

async function checkRights({ desk }: CheckSettings, { there }: Found): Promise<string> {
  for (const project of there) {
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
