import { createAppAuth } from '@octokit/auth-app';
import type { Octokit } from '@octokit/core';
import type { GithubSettings, ReadSecret } from '../settings.ts';
import { absent, refuse } from './failures.ts';
import { partsOf } from './names.ts';
import { installationSchema, tokenSchema } from './schema.ts';

/** What a question is asked as: the App itself, or whoever may act in a repository. */
export interface Tokens {
  /** Null where the App is not installed at the repository's owner. */
  forProject(project: string): Promise<string | null>;
  /** The App's own, or the token of the settings. */
  forUs(): Promise<string>;
  forInstallation(id: number): Promise<string>;
}

/** Milliseconds before its end that a token is not used any more. */
const margin = 5 * 60_000;
/** Milliseconds that an owner is known by its installation. */
const memory = 60 * 60_000;

export interface TokenNeeds {
  readonly name: string;
  readonly settings: GithubSettings;
  readonly readSecret: ReadSecret;
  readonly octokit: Octokit;
}

/** @throws an error that says what is missing in the configuration. */
export function createTokens(needs: TokenNeeds): Tokens {
  const { name, settings, readSecret } = needs;
  const { app, token } = settings;
  if (app !== undefined) return appTokens(needs, app);
  if (token === undefined) throw new Error(`connection ${name}: give it an "app" with id and key, or a "token"`);
  const read = async () => `token ${await readSecret(token)}`;
  return { forProject: read, forUs: read, forInstallation: read };
}

function appTokens({ readSecret, octokit }: TokenNeeds, app: NonNullable<GithubSettings['app']>): Tokens {
  const installations = new Map<string, { readonly id: number; readonly until: number }>();
  const tokens = new Map<number, { readonly token: string; readonly until: number }>();
  const forUs = async () => {
    const privateKey = await readSecret(app.key);
    const auth = createAppAuth({ appId: app.id, privateKey, request: octokit.request });
    return `bearer ${(await auth({ type: 'app' })).token}`;
  };
  const installationOf = async (project: string) => {
    const owner = partsOf(project).owner.toLowerCase();
    const known = installations.get(owner);
    if (known !== undefined && known.until > Date.now()) return known.id;
    const headers = { authorization: await forUs() };
    const found = await octokit
      .request('GET /repos/{owner}/{repo}/installation', { ...partsOf(project), headers })
      .catch(absent);
    if (found === null) return null;
    const { id } = installationSchema.parse(found.data);
    installations.set(owner, { id, until: Date.now() + memory });
    return id;
  };
  const forInstallation = async (id: number) => {
    const known = tokens.get(id);
    if (known !== undefined && known.until > Date.now()) return known.token;
    const headers = { authorization: await forUs() };
    const route = 'POST /app/installations/{installation_id}/access_tokens';
    const { data } = await octokit.request(route, { installation_id: id, headers }).catch(refuse);
    const { token, expires_at } = tokenSchema.parse(data);
    tokens.set(id, { token: `token ${token}`, until: Date.parse(expires_at) - margin });
    return `token ${token}`;
  };
  return {
    forUs,
    forInstallation,
    async forProject(project) {
      const id = await installationOf(project);
      return id === null ? null : forInstallation(id);
    },
  };
}
