import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { must } from '../../activities/process/run.ts';
import { addSluice, adminUrl, askGerrit, done, type SluiceAccount } from '../../infra/gerrit/account.ts';
import type { GerritSite } from '../../infra/gerrit/config.ts';
import { pushRights } from '../../infra/gerrit/rights.ts';
import { startGerrit } from '../../infra/gerrit/server.ts';
import { makeSite } from '../../infra/gerrit/site.ts';
import { fetchGerrit } from '../../infra/gerrit/tools.ts';

/** A real Gerrit with projects, and what its users do there. */
export interface GerritHost {
  /** A directory for this run alone. */
  readonly home: string;
  readonly site: GerritSite;
  readonly pid: number;
  /** The account of the gate that is measured. */
  readonly account: SluiceAccount;
  /** Pushes changes for review, each with a file of its own on the branch's tip. @returns their numbers */
  propose(project: string, names: readonly string[]): Promise<readonly number[]>;
  /** Gives a change all that it needs but the gate's vote. */
  approve(number: number): Promise<void>;
  /** Waits until the changes are merged. @param limit milliseconds */
  settled(numbers: readonly number[], limit: number): Promise<void>;
  stop(): Promise<void>;
}

/** Each project with its first files, by path. */
export type Projects = Readonly<Record<string, Readonly<Record<string, string>>>>;

export async function startHost(projects: Projects): Promise<GerritHost> {
  const home = await mkdtemp(join(tmpdir(), 'sluice-bench-gerrit-'));
  const tools = await fetchGerrit();
  const site = await makeSite(tools, join(home, 'gerrit'), { rights: pushRights });
  const gerrit = await startGerrit(tools, site);
  const account = await addSluice(site, home);
  for (const [project, files] of Object.entries(projects)) await addProject({ site, home, project }, files);
  const merges = watchMerges(account);
  return {
    ...{ home, site, account, pid: gerrit.pid },
    propose: (project, names) => propose({ site, home, project }, names),
    approve: (number) => approve(site, number),
    settled: (numbers, limit) => settled({ site, merges }, numbers, limit),
    async stop() {
      merges.stop();
      await gerrit.stop();
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

interface Clone {
  readonly site: GerritSite;
  readonly home: string;
  readonly project: string;
}

const author = ['-c', 'user.name=Administrator', '-c', 'user.email=admin@example.com'];

async function git({ home, project }: Pick<Clone, 'home' | 'project'>, ...args: readonly string[]): Promise<string> {
  return (await must('git', ['-C', join(home, 'clones', project), ...author, ...args])).stdout.trim();
}

async function addProject(clone: Clone, files: Projects[string]): Promise<void> {
  const { site, home, project } = clone;
  const path = join(home, 'clones', project);
  await mkdir(path, { recursive: true });
  await done(askGerrit(site, { method: 'PUT', path: `/projects/${encodeURIComponent(project)}`, body: {} }));
  await git(clone, 'init', '--quiet', '--initial-branch=master');
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  await git(clone, 'add', '.');
  await git(clone, 'commit', '--quiet', '--message', 'Start');
  await git(clone, 'push', '--quiet', adminUrl(site, project), 'HEAD:refs/heads/master');
}

async function propose(clone: Clone, names: readonly string[]): Promise<readonly number[]> {
  const { site, home, project } = clone;
  const url = adminUrl(site, project);
  await git(clone, 'fetch', '--quiet', url, 'master');
  const numbers: number[] = [];
  for (const name of names) {
    await git(clone, 'checkout', '--quiet', '--detach', 'FETCH_HEAD');
    await writeFile(join(home, 'clones', project, name), `${name}\n`);
    await git(clone, 'add', '.');
    const id = `I${Buffer.from(`${project} ${name}`).toString('hex').padStart(40, '0').slice(-40)}`;
    await git(clone, 'commit', '--quiet', '--message', `Add ${name}\n\nChange-Id: ${id}`);
    await git(clone, 'push', '--quiet', url, 'HEAD:refs/for/master');
    const commit = await git(clone, 'rev-parse', 'HEAD');
    const found = (await done(askGerrit(site, { path: `/changes/?q=commit:${commit}` }))) as { _number: number }[];
    numbers.push(found[0]?._number ?? 0);
  }
  return numbers;
}

async function approve(site: GerritSite, number: number): Promise<void> {
  const body = { labels: { 'Code-Review': 2, Workflow: 1 } };
  await done(askGerrit(site, { method: 'POST', path: `/changes/${number}/revisions/current/review`, body }));
}

/** What the host tells of merges, which costs it less than to be asked again and again. */
function watchMerges({ ssh, identity, knownHosts }: SluiceAccount) {
  const { hostname, port, username } = new URL(ssh);
  const options = ['IdentitiesOnly=yes', 'BatchMode=yes', `UserKnownHostsFile=${knownHosts}`].flatMap((o) => ['-o', o]);
  const command = ['gerrit', 'stream-events', '--subscribe', 'change-merged'];
  const args = ['-F', '/dev/null', '-i', identity, ...options, '-p', port, `${username}@${hostname}`, ...command];
  const child = spawn('ssh', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const told = new EventEmitter();
  const merged = new Set<number>();
  createInterface(child.stdout).on('line', (line) => {
    const { change } = JSON.parse(line) as { readonly change: { readonly number: number } };
    merged.add(Number(change.number));
    told.emit('merged');
  });
  return { told, merged, stop: () => child.kill() };
}

/** Milliseconds without news after which the host is asked. */
const patience = 2_000;

async function settled(
  { site, merges: { told, merged } }: { readonly site: GerritSite; readonly merges: ReturnType<typeof watchMerges> },
  numbers: readonly number[],
  limit: number,
): Promise<void> {
  for (const end = performance.now() + limit; !numbers.every((number) => merged.has(number)); ) {
    const signal = AbortSignal.timeout(patience);
    const news = await once(told, 'merged', { signal }).catch(() => null);
    const left = news === null ? await listOpen(site) : null;
    if (left?.length === 0) return;
    if (performance.now() > end) throw new Error(`not merged after ${limit / 1000} seconds: ${left}`);
  }
}

async function listOpen(site: GerritSite): Promise<readonly number[]> {
  const found = (await done(askGerrit(site, { path: '/changes/?q=status:open' }))) as { _number: number }[];
  return found.map(({ _number }) => _number);
}
