import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWhole } from '../../activities/files/write.ts';
import { must } from '../../activities/process/run.ts';
import type { GerritSite } from './config.ts';
import { adminPassword, knownHost } from './site.ts';

export interface RestAnswer {
  readonly status: number;
  /** JSON, or the text of a refusal. */
  readonly value: unknown;
}

/** Speaks to a site's server as one of its accounts; people's accounts here have the administrator's password. */
export async function askGerrit(
  { url }: Pick<GerritSite, 'url'>,
  { method = 'GET', path, body, user = 'admin', password = adminPassword }: RestQuestion,
): Promise<RestAnswer> {
  const response = await fetch(`${url}/a${path}`, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, value: text.startsWith(")]}'") ? JSON.parse(text.slice(4)) : text };
}

export interface RestQuestion {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  readonly user?: string;
  readonly password?: string;
}

/** The value of an answer that is one. @throws with what Gerrit says */
export async function done(answer: Promise<RestAnswer>): Promise<unknown> {
  const { status, value } = await answer;
  if (status >= 300) throw new Error(`Gerrit answers ${status}: ${String(value)}`);
  return value;
}

/** What `sluice.yaml` says of a connection to a site, by the keys of its files. */
export interface SluiceAccount {
  readonly driver: 'gerrit';
  readonly url: string;
  readonly ssh: string;
  readonly identity: string;
  readonly knownHosts: string;
  readonly password: { readonly file: string };
}

/**
 * Gives Sluice an account on a running server: a member of Service Users with a key and a password.
 *
 * @param directory of the key, the password and the host's key
 */
export async function addSluice(site: GerritSite, directory: string): Promise<SluiceAccount> {
  const name = 'sluice';
  const identity = join(directory, 'key');
  const knownHosts = join(directory, 'known_hosts');
  const file = join(directory, 'password');
  const password = randomBytes(24).toString('base64url');
  await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', identity]);
  await writeWhole(knownHosts, await knownHost(site));
  await writeWhole(file, `${password}\n`, { mode: 0o600 });
  const key = await readFile(`${identity}.pub`, 'utf8');
  const account = { name: 'Sluice', email: `${name}@example.org`, http_password: password, ssh_key: key };
  const body = { ...account, groups: ['Service Users'] };
  await done(askGerrit(site, { method: 'PUT', path: `/accounts/${name}`, body }));
  const ssh = `ssh://${name}@127.0.0.1:${site.sshPort}`;
  return { driver: 'gerrit', url: site.url, ssh, identity, knownHosts, password: { file } };
}

/** Git over HTTP as the administrator, who is not Sluice. */
export function adminUrl({ httpPort }: Pick<GerritSite, 'httpPort'>, project: string): string {
  return `http://admin:${adminPassword}@127.0.0.1:${httpPort}/a/${project}`;
}
