import { z } from 'zod';
import { HostAway } from '../outcome.ts';
import { run } from '../process/run.ts';
import { tryGit } from './git.ts';
import { checkRevision } from './names.ts';
import type { GitRemote } from './remote.ts';
import { SourceFault } from './source-fault.ts';

/** Where objects are asked for. */
export interface Endpoint {
  readonly url: string;
  /** Logs in there. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Whose objects are asked for. */
export interface Place {
  /** The repository on this machine that has the commit. */
  readonly repo: string;
  readonly commit: string;
  /** Name of the host, for messages. */
  readonly host: string;
  readonly from: GitRemote;
}

/**
 * @param file one that is wanted, for messages
 * @throws SourceFault for a host that says nothing of Git LFS, and for a `.lfsconfig` that leads to another one
 */
export async function endpointOf(place: Place, file: string): Promise<Endpoint> {
  const { repo, host, from, commit } = place;
  const usual = /^https?:/.test(from.url) ? await besideGit(from) : await toldBySsh(place, file);
  const asked = ['config', '--no-includes', `--blob=${checkRevision(commit)}:.lfsconfig`, '--get', 'lfs.url'];
  const named = (await tryGit(repo, asked)).stdout.trim();
  const url = named === '' ? usual.url : named.replace(/\/+$/, '');
  if (!URL.canParse(url) || new URL(url).origin !== new URL(usual.url).origin) {
    throw new SourceFault(`.lfsconfig leads to another host than ${host}: its lfs.url is not followed`);
  }
  return { ...usual, url };
}

/** Where every host has it that is spoken to by http, with the same login. */
async function besideGit(remote: GitRemote): Promise<Endpoint> {
  const access = Object.values(await remote.access());
  const login = access.flatMap((line) => /^Authorization: (.+)$/.exec(line)?.[1] ?? [])[0];
  const url = `${remote.url.replace(/(\.git)?\/*$/, '.git')}/info/lfs`;
  return { url, headers: login === undefined ? {} : { authorization: login } };
}

/** What `git-lfs-authenticate` answers (https://github.com/git-lfs/git-lfs/blob/main/docs/api/authentication.md). */
const answerSchema = z.object({
  href: z.string().regex(/^https?:/),
  header: z.record(z.string(), z.string()).nullish(),
});

/** Milliseconds for the login, and the answer. */
const patience = 60_000;
/** In characters. */
const longestAnswer = 64 * 1024;

/** Asks over ssh, as git-lfs does: with the key and the known hosts of the connection. */
async function toldBySsh({ host, from }: Place, file: string): Promise<Endpoint> {
  const { GIT_SSH_COMMAND: command, ...env } = await from.access();
  if (!from.url.startsWith('ssh:') || command === undefined) {
    const what = `${host} is reached neither by https nor by ssh with a key of its own`;
    throw new SourceFault(`${file} is kept by Git LFS: ${what}; commit the file itself`);
  }
  const { hostname, port, username, pathname } = new URL(from.url);
  const at = [decodeURIComponent(username), hostname.replace(/^\[|\]$/g, '')].filter(Boolean).join('@');
  const asked = `git-lfs-authenticate ${decodeURIComponent(pathname)} download`;
  // As git runs the command, which is one for a shell.
  const args = ['-c', `${command} "$@"`, command, ...(port === '' ? [] : ['-p', port]), '--', at, asked];
  const { code, stdout, stderr } = await run('sh', args, { env, timeout: patience, limit: longestAnswer });
  // A Gerrit in trouble ends with 128, as does a git-shell that knows no such command.
  if (code > 128 || /internal server error/i.test(stderr))
    throw new HostAway(`${host} does not answer by ssh for Git LFS`);
  const answer = answerSchema.safeParse(code === 0 ? parsed(stdout) : null);
  if (!answer.success) {
    const said = stderr.replace(/\s+/g, ' ').trim().slice(0, 200);
    const why = said === '' ? '' : ` (${said})`;
    throw new SourceFault(`${file} is kept by Git LFS, and ${host} does not say by ssh where its content is${why}`);
  }
  return { url: answer.data.href.replace(/\/+$/, ''), headers: answer.data.header ?? {} };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
