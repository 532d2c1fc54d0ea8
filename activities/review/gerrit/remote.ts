import { createHash } from 'node:crypto';
import { lstat, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkProject } from '../../git/names.ts';
import type { GitRemote } from '../../git/remote.ts';
import type { GerritSettings } from '../settings.ts';
import { sshEnvironment } from '../ssh-command.ts';

/**
 * Git over Gerrit's SSH: with the connection's key alone, and only to the host that the administrator knows.
 *
 * @param login `anew`: shares none that there is, so that what happens is what a first login meets
 * @throws BadName
 */
export function openGerritRemote(
  settings: GerritSettings,
  project: string,
  login: 'shared' | 'anew' = 'shared',
): GitRemote {
  const { host, port, username } = addressOf(settings.ssh);
  const url = `ssh://${encodeURIComponent(username)}@${host}:${port}/${checkProject(project)}`;
  const access = async () => sshEnvironment(settings, login === 'shared' ? await sharing(settings) : []);
  return { url, access };
}

/** Seconds that a connection is kept for the next who needs one. */
const kept = 60;

/**
 * Options that let the uses of one connection share a login, which costs both sides more than all the rest of a fetch.
 * Only who has the same key and expects the same host key shares; the socket is in a directory that is ours alone.
 */
async function sharing({ ssh, identity, knownHosts }: GerritSettings): Promise<readonly string[]> {
  const directory = await socketDirectory();
  if (directory === null) return [];
  const name = createHash('sha256')
    .update(JSON.stringify([ssh, identity, knownHosts]))
    .digest('hex')
    .slice(0, 16);
  const path = join(directory, name);
  // A socket's path has 107 bytes at most, and ssh puts 17 more behind it while it makes one.
  if (path.length > 90) return [];
  return ['ControlMaster=auto', `ControlPersist=${kept}`, `ControlPath="${path}"`];
}

/** Null where somebody else has the place: then nobody shares anything. */
async function socketDirectory(): Promise<string | null> {
  const uid = process.getuid?.();
  const path = join(tmpdir(), `sluice-ssh-${uid}`);
  await mkdir(path, { mode: 0o700 }).catch(() => {});
  const found = await lstat(path).catch(() => null);
  return found?.isDirectory() && found.uid === uid && (found.mode & 0o077) === 0 ? path : null;
}

/** Where Gerrit's SSH answers: at port 29418 where none is given. `host` as a URL has it. */
export function addressOf(ssh: string): { readonly host: string; readonly port: number; readonly username: string } {
  const { hostname, port, username } = new URL(ssh);
  return { host: hostname, port: Number(port === '' ? 29_418 : port), username: decodeURIComponent(username) };
}
