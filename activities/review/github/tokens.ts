import { createPrivateKey } from 'node:crypto';
import type { Octokit } from '@octokit/core';
import { SignJWT } from 'jose';
import { HostRefusal } from '../http.ts';
import type { GithubSettings, ReadSecret } from '../settings.ts';
import { absent, type Failure, refuse } from './failures.ts';
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
/** Milliseconds that GitHub's clock and ours may differ for logins to be made by GitHub's. */
const mostSkew = 60 * 60_000;
/** Seconds that a login was made before it is used, and for which it holds: GitHub takes no more than ten minutes. */
const [age, life] = [30, 600];

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

function appTokens({ name, readSecret, octokit }: TokenNeeds, app: NonNullable<GithubSettings['app']>): Tokens {
  const installations = new Map<string, { readonly id: number; readonly until: number }>();
  const tokens = new Map<number, { readonly token: string; readonly until: number }>();
  /** Milliseconds that GitHub's clock is ahead of ours, once a login was refused for it. */
  let ahead = 0;
  const forUs = async () => {
    const key = readKey(name, await readSecret(app.key));
    return `bearer ${await signLogin(app.id, key, Date.now() + ahead)}`;
  };
  octokit.hook.wrap('request', async (request, options) => {
    try {
      return await request(options);
    } catch (error) {
      const isLogin = String(options.headers.authorization).startsWith('bearer ');
      const found = isLogin ? skewOf(error as Failure) : null;
      if (found === null) throw error;
      ahead = found;
      return request({ ...options, headers: { ...options.headers, authorization: await forUs() } });
    }
  });
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
    const answer = await octokit.request(route, { installation_id: id, headers }).catch(refuse);
    const { token, expires_at } = tokenSchema.parse(answer.data);
    const now = Date.now();
    const left = Date.parse(expires_at) - (Date.parse(answer.headers.date ?? '') || now);
    tokens.set(id, { token: `token ${token}`, until: now + left - margin });
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

/** @throws an error that names the connection, and nothing of the key */
function readKey(name: string, text: string) {
  try {
    // In an environment variable its lines often end so.
    return createPrivateKey(text.replaceAll('\\n', '\n'));
  } catch {
    throw new Error(`connection ${name}: the key of its app is no private key in PEM: take the one that GitHub made`);
  }
}

/** @param time milliseconds since the epoch, by GitHub's clock */
function signLogin(id: number, key: ReturnType<typeof createPrivateKey>, time: number): Promise<string> {
  const made = Math.floor(time / 1_000) - age;
  return new SignJWT()
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
    .setIssuer(String(id))
    .setIssuedAt(made)
    .setExpirationTime(made + life)
    .sign(key);
}

/**
 * Milliseconds that GitHub's clock is ahead of ours, where it has refused a login for its times.
 *
 * @throws HostRefusal when that is too much: what we sign for another time may be used then
 */
function skewOf({ status, message, response }: Failure): number | null {
  if (status !== 401 || !/'(Issued at|Expiration time)' claim/.test(message ?? '')) return null;
  const skew = Date.parse(response?.headers?.date ?? '') - Date.now();
  if (Number.isNaN(skew)) return null;
  if (Math.abs(skew) <= mostSkew) return skew;
  throw new HostRefusal(`our clock is ${differenceOf(-skew)} GitHub's: set it by NTP`, 401);
}

/** @param skew milliseconds that our clock is ahead */
export function differenceOf(skew: number): string {
  return `${Math.round(Math.abs(skew) / 1_000)} s ${skew > 0 ? 'ahead of' : 'behind'}`;
}
