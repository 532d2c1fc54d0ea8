import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { buildGitea } from '../../../../infra/gitea/build.ts';
import { type GiteaServer, startGitea } from '../../../../infra/gitea/server.ts';

/** A person with an account on the tests' Gitea. */
export interface Account {
  readonly name: string;
  readonly token: string;
  /** Asks the API as this person. @throws with the answer for any but a good one */
  api<T = unknown>(method: string, path: string, body?: unknown): Promise<T>;
}

export interface GiteaSite {
  readonly directory: string;
  readonly server: GiteaServer;
  readonly root: Account;
  readonly sluice: Account;
  /** Proposes changes from a fork. */
  readonly ada: Account;
  /** Reviews. */
  readonly bob: Account;
}

/** Whether a Gitea can be had here; one that cannot be built though there is a compiler is a failure. */
export const gitea = await buildGitea();
if (gitea === null) console.log('# no Gitea: there is no Go compiler to build it with, and its tests are left out');

/** One Gitea for the tests of a file. */
export function useGitea(): () => GiteaSite {
  let site: GiteaSite | undefined;
  // Also where what comes after its start fails: a server that runs keeps the file from ending.
  const undo: (() => Promise<unknown>)[] = [];
  before(async () => {
    if (gitea === null) return;
    const directory = await mkdtemp(join(tmpdir(), 'sluice-gitea-'));
    undo.unshift(() => rm(directory, { recursive: true, force: true }));
    const server = await startGitea(gitea, directory);
    undo.unshift(() => server.stop());
    const root = accountOf(server.url, 'root', server.token);
    const [sluice, ada, bob] = await Promise.all(
      ['sluice-bot', 'ada', 'bob'].map((name) => addAccount(server, root, name)),
    );
    assert.ok(sluice && ada && bob);
    site = { directory, server, root, sluice, ada, bob };
  });
  after(async () => {
    for (const step of undo) await step();
  });
  return () => site ?? assert.fail('Gitea was not started');
}

async function addAccount({ url }: GiteaServer, root: Account, name: string): Promise<Account> {
  const password = `${name}-password`;
  const email = `${name}@example.org`;
  await root.api('POST', '/admin/users', { username: name, email, password, must_change_password: false });
  const made = await fetch(`${url}/api/v1/users/${name}/tokens`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ name: 'test', scopes: ['all'] }),
  });
  const { sha1 } = (await made.json()) as { readonly sha1: string };
  return accountOf(url, name, sha1);
}

export function accountOf(url: string, name: string, token: string): Account {
  return {
    name,
    token,
    async api<T>(method: string, path: string, body?: unknown) {
      const answer = await fetch(`${url}/api/v1${path}`, {
        method,
        headers: { authorization: `token ${token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
      return (text === '' ? null : JSON.parse(text)) as T;
    },
  };
}
