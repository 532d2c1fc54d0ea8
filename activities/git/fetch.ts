import { HostAway } from '../outcome.ts';
import type { RunResult } from '../process/run.ts';
import { tryGit } from './git.ts';
import { readBranches } from './refs.ts';
import type { GitRemote } from './remote.ts';

/** A project of a host, and the names of both for messages. */
export interface GitSource {
  readonly host: string;
  readonly project: string;
  readonly remote: GitRemote;
}

/** Milliseconds for one exchange with a host. */
const patience = 9 * 60_000;

/** How often a fetch is begun that ends without a word. */
const attempts = 4;

/** Branches and tags are those of the host and no others; what else was fetched once stays. */
const always = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'];

/** No clean-up that goes on by itself; a transport that runs programs is not one. */
const settings = [
  ...['-c', 'protocol.ext.allow=never', '-c', 'gc.autoDetach=false', '-c', 'maintenance.autoDetach=false'],
];

/** A host answers 403: it forbids it, or will not do it now. */
export class Forbidden extends Error {
  /** The host's own words, if it has any: on one line, bounded. */
  readonly words: string;

  constructor(message: string, words: string) {
    super(message);
    this.name = 'Forbidden';
    this.words = words;
  }
}

/**
 * Fetches branches, tags and further refs of a project, each under its own name.
 *
 * @throws HostAway when the host cannot be reached; an error with git's last words when it refuses.
 */
export async function fetchRefs(repo: string, source: GitSource, refs: readonly string[]): Promise<void> {
  const more = refs.filter((ref) => !/^refs\/(heads|tags)\//.test(ref)).map((ref) => `+${ref}:${ref}`);
  const options = ['--quiet', '--prune', '--no-tags', '--no-recurse-submodules', '--no-write-fetch-head'];
  const fetch = (first: readonly string[]) => {
    const args = ['fetch', ...options, '--end-of-options', source.remote.url, ...first, ...always, ...more];
    return askHost(repo, source, { args });
  };
  if (!/^https?:/.test(source.remote.url) || (await readBranches(repo)).size === 0) return void (await fetch([]));
  // Git takes some pages of web servers for a repository without refs, and would prune all that is here.
  await fetch(['HEAD']).catch(async (error: Error) => {
    if (!/couldn't find remote ref HEAD/.test(error.message)) throw error;
    await demandRefs(repo, source);
    await fetch([]);
  });
}

/** HEAD may stand for a branch that there is not. @throws HostAway where the host shows nothing at all */
async function demandRefs(repo: string, source: GitSource): Promise<void> {
  const args = ['ls-remote', '--quiet', '--end-of-options', source.remote.url];
  const { stdout } = await askHost(repo, source, { args });
  if (stdout.trim() === '') throw new HostAway(`${source.host} shows no branch of ${source.project} any more`);
}

interface HostQuestion {
  readonly args: readonly string[];
  /** Exit codes that are answers. */
  readonly codes?: readonly number[];
  /** Bytes of what comes back at most. */
  readonly largest?: number;
}

/** Runs git against a host. @throws HostAway or Error where it ends with a code that is not expected */
export async function askHost(
  repo: string,
  { host, project, remote }: GitSource,
  { args, codes = [0], largest }: HostQuestion,
): Promise<RunResult> {
  const access = await remote.access();
  const env = { GIT_HTTP_LOW_SPEED_LIMIT: '1000', GIT_HTTP_LOW_SPEED_TIME: '60', ...access };
  const limits = { timeout: patience, ...(largest === undefined ? {} : { largest }) };
  const ask = () => tryGit(repo, [...settings, ...args], { env, ...limits });
  let result = await ask();
  for (let n = 1; n < attempts && !codes.includes(result.code) && isSilent(result); n += 1) result = await ask();
  if (codes.includes(result.code)) return result;
  const { stderr, timedOut } = result;
  const safe = masked(stderr, access);
  const said = timedOut ? 'it took too long' : lastWords(safe);
  const message = `${host} does not answer for ${project}: ${said}`;
  const words = wordsOfHost(safe);
  if (timedOut || !isRefusal(stderr)) throw new HostAway(message);
  if (saysLater(words)) throw new HostAway(`${message}: ${words}`);
  throw forbidden.test(stderr) ? new Forbidden(message, words) : new Error(message);
}

/**
 * Git fails, and neither it nor ssh nor the host says why: ssh was told no exit status. Gerrit loses it when the client
 * has closed its side first, which happens while Gerrit is busy (3.10.2 with OpenSSH 9.2).
 */
function isSilent({ stderr, timedOut }: RunResult): boolean {
  return !timedOut && wordsIn(stderr).length === 0;
}

/** What a host says that has no such project, or shows it to nobody: `git daemon` does not tell the two apart. */
const absent = /not found|does not (exist|appear)|repository not exported|no such repository/i;

/** What a host says that is there and will say the same again. */
const refusal =
  /permission denied|authentication failed|couldn't find remote ref|error: 40[134]|could not read (username|password)|not our ref|host key verification failed|service not enabled/i;

const forbidden = /error: 403/i;

const later = /rate limit|too many|abuse|maintenance|temporar|try again|overload|unavailable/i;

/** Whether a host's words with a 403 are about this moment, and not about rights. */
export function saysLater(words: string): boolean {
  return later.test(words);
}

/** Git's words where nobody is let in who has not logged in, or not so. */
const unknown = /error: 401|could not read (username|password)|authentication failed/i;

/** Whether an error of `askHost` says that the host lets nobody in there by what we log in with, if by anything. */
export function saysForbidden(error: Error): boolean {
  return !(error instanceof HostAway) && (error instanceof Forbidden || unknown.test(error.message));
}

function isRefusal(stderr: string): boolean {
  return absent.test(stderr) || refusal.test(stderr);
}

/** Whether an error of `askHost` says that the host has no such project, or does not show it to us. */
export function saysAbsent(error: Error): boolean {
  return !(error instanceof HostAway) && absent.test(error.message);
}

/** Lines of Git and ssh about a failure. */
function wordsIn(stderr: string): string[] {
  return stderr
    .split('\n')
    .filter((line) => /^(fatal|error|ssh|.*: permission denied|host key|connection|kex_)/i.test(line.trim()));
}

/** What the host itself has said, as Git shows it. */
function wordsOfHost(stderr: string): string {
  const lines = stderr.split('\n').flatMap((line) => /^remote: *(\S.*)$/.exec(line.trimEnd())?.[1] ?? []);
  return lines
    .join(' ')
    .replace(/\p{Cc}/gu, ' ')
    .slice(0, 300);
}

/** Git's own words, without what else a host may have said. */
function lastWords(stderr: string): string {
  const lines = wordsIn(stderr);
  const said = (lines.length > 0 ? lines : stderr.trim().split('\n')).slice(0, 3).join('; ');
  return said.replace(/\p{Cc}/gu, ' ').slice(0, 400);
}

/** Git repeats no header; should it ever, it is not read here. */
function masked(text: string, access: Readonly<Record<string, string>>): string {
  const secrets = Object.entries(access)
    .filter(([name]) => name.startsWith('GIT_CONFIG_VALUE'))
    .flatMap(([, value]) => value.split(/\s+/))
    .filter((word) => word.length >= 8);
  return secrets.reduce((said, secret) => said.replaceAll(secret, '***'), text);
}
