import { randomUUID } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { quoted } from '../../activities/process/quoted.ts';
import type { HostSettings } from '../../activities/review/git/client.ts';
import type { Command } from '../../activities/review/git/receive/context.ts';
import { type Streams, serveProcReceive } from '../../activities/review/git/receive/proc-receive.ts';
import { type Receipt, receive } from '../../activities/review/git/receive/receive.ts';
import { openRepository } from '../../activities/review/git/repository.ts';
import type { Acted } from '../../server/api/types.ts';
import { readHolder } from '../stack/lock.ts';
import { accountOf } from './account.ts';

/** Milliseconds that the server may take to hear of a push: it finds out by itself what it does not hear. */
const patience = 2_000;

export interface HookCall {
  /** The bare repository that the hook runs in. */
  readonly repo: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly streams: Streams;
  /** Says one line to the person who pushes. */
  readonly say: (line: string) => void;
}

/** Takes one push for git, then tells the server. Works without a server. */
export async function runProcReceive({ repo, env, streams, say }: HookCall): Promise<void> {
  const path = resolve(repo);
  const { root, project, connection, page } = await openRepository(path);
  const data = dirname(root);
  const stack = readHolder(data)?.stack ?? null;
  const settings: HostSettings = { root, connection, page: stack?.url ?? page };
  await serveProcReceive(streams, async ({ commands, options, atomic }) => {
    const atomicWith = atomic ? (env.SLUICE_OTHER_REFS ?? '').split(' ').filter((ref) => ref !== '') : [];
    const receipt = await take(settings, { project, commands, options, atomicWith, path, env });
    say('');
    for (const line of receipt.messages) say(line);
    if (receipt.changes.length > 0) await notify({ data, url: stack?.url ?? null, project, connection, receipt }, say);
    say('');
    return receipt;
  });
}

interface Taking {
  readonly project: string;
  readonly commands: readonly Command[];
  readonly options: readonly string[];
  readonly atomicWith: readonly string[];
  readonly path: string;
  readonly env: HookCall['env'];
}

async function take(settings: HostSettings, { env, path, ...push }: Taking): Promise<Receipt> {
  const { uid: owner } = await stat(path);
  const pusher = accountOf({ uid: process.geteuid?.() ?? owner, user: localUser(), owner, env });
  const distant = env.SSH_CONNECTION !== undefined || env.REMOTE_ADDR !== undefined;
  return receive(settings, { ...push, pusher, remote: distant ? 'origin' : shown(path) });
}

/** Null for a user that this machine has no entry for. */
function localUser(): string | null {
  try {
    return userInfo().username;
  } catch {
    return null;
  }
}

/** A path as a shell reads it in the commands that are suggested. */
function shown(path: string): string {
  return /^[\w./+-]+$/.test(path) ? path : quoted([path]);
}

interface Notice {
  readonly data: string;
  readonly url: string | null;
  readonly project: string;
  readonly connection: string;
  readonly receipt: Receipt;
}

async function notify({ data, url, project, connection, receipt }: Notice, say: HookCall['say']): Promise<void> {
  if (url === null) return say('No server is running: it takes this up when it starts (sluice up).');
  try {
    const token = (await readFile(join(data, 'token'), 'utf8')).trim();
    const response = await fetch(`${url}/api/events/git`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ id: randomUUID(), connection, project, changes: receipt.changes }),
      signal: AbortSignal.timeout(patience),
    });
    if (!response.ok) return say(`The server answered ${response.status}: it will find this push by itself.`);
    const { withoutEffect = [] } = (await response.json()) as Pick<Acted, 'withoutEffect'>;
    for (const line of withoutEffect) say(line);
  } catch {
    say('The server does not answer: it will find this push by itself.');
  }
}
