import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { stringify } from 'yaml';
import { must } from '../../activities/process/run.ts';
import type { StageDeps } from '../../activities/stages.ts';
import { findTemporal } from '../../infra/bootstrap/find.ts';
import { startIngest } from '../../infra/compose/ingest.ts';
import { listenToStreams } from '../../infra/compose/streams.ts';
import { addSluice, adminUrl, askGerrit, done } from '../../infra/gerrit/account.ts';
import type { GerritSite } from '../../infra/gerrit/config.ts';
import { pushRights } from '../../infra/gerrit/rights.ts';
import { startGerrit } from '../../infra/gerrit/server.ts';
import { makeSite } from '../../infra/gerrit/site.ts';
import { fetchGerrit } from '../../infra/gerrit/tools.ts';
import { startDevServer } from '../../infra/temporal/dev-server.ts';
import { startWorkers } from '../small-stack.ts';

/** A gate on a real Gerrit: the server process's own parts, stages given by who measures. */
export interface GerritStack {
  readonly site: GerritSite;
  /** Processes that do the work, besides this one. */
  readonly pids: readonly number[];
  /** Pushes changes for review, each with a file of its own on the branch's tip. @returns their numbers */
  propose(project: string, names: readonly string[]): Promise<readonly number[]>;
  /** Gives a change all that it needs but Sluice's vote. */
  approve(number: number): Promise<void>;
  /** Changes that are still open, by number. */
  open(): Promise<readonly number[]>;
  stop(): Promise<void>;
}

export interface StackRequest {
  /** Each with its own configuration, `.zuul.yaml`. */
  readonly projects: Readonly<Record<string, string>>;
  readonly stages: StageDeps['stages'];
}

export async function startGerritStack({ projects, stages }: StackRequest): Promise<GerritStack> {
  const home = await mkdtemp(join(tmpdir(), 'sluice-bench-gerrit-'));
  const executable = findTemporal();
  if (executable === undefined) throw new Error('no Temporal server on this machine: ./sluice doctor --mend');
  const tools = await fetchGerrit();
  const site = await makeSite(tools, join(home, 'gerrit'), { rights: pushRights });
  const gerrit = await startGerrit(tools, site);
  const review = await addSluice(site, home);
  for (const [project, configuration] of Object.entries(projects))
    await addProject(site, home, { project, configuration });
  const temporal = await startDevServer(executable, { port: 0, database: join(home, 'temporal.db') });
  await temporal.ready();
  const file = join(home, 'sluice.yaml');
  const named = Object.keys(projects).map((project) => [project, { connection: 'review', queue: 'shared' }]);
  await writeFile(
    file,
    stringify({
      data: './data',
      temporal: { address: temporal.address },
      connections: { review },
      projects: Object.fromEntries(named),
    }),
  );
  const workers = await startWorkers(file, stages);
  const { control, store } = workers;
  const logger = pino({ level: 'silent' });
  const ingest = startIngest({ store, connections: control.connections, router: control.router, logger });
  const streams = listenToStreams({ connections: control.connections, take: ingest.take, logger });
  return {
    site,
    pids: [gerrit.pid],
    propose: (project, names) => propose({ site, home, project }, names),
    approve: (number) => approve(site, number),
    open: () => listOpen(site),
    async stop() {
      try {
        await streams.stop();
        await ingest.stop();
        await workers.stop();
      } finally {
        await temporal.stop();
        await gerrit.stop();
        await rm(home, { recursive: true, force: true, maxRetries: 5 });
      }
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

async function addProject(
  site: GerritSite,
  home: string,
  { project, configuration }: { readonly project: string; readonly configuration: string },
): Promise<void> {
  const path = join(home, 'clones', project);
  await mkdir(path, { recursive: true });
  await done(askGerrit(site, { method: 'PUT', path: `/projects/${encodeURIComponent(project)}`, body: {} }));
  await git({ home, project }, 'init', '--quiet', '--initial-branch=master');
  await writeFile(join(path, '.zuul.yaml'), configuration);
  await git({ home, project }, 'add', '.');
  await git({ home, project }, 'commit', '--quiet', '--message', 'Start');
  await git({ home, project }, 'push', '--quiet', adminUrl(site, project), 'HEAD:refs/heads/master');
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

async function listOpen(site: GerritSite): Promise<readonly number[]> {
  const found = (await done(askGerrit(site, { path: '/changes/?q=status:open' }))) as { _number: number }[];
  return found.map(({ _number }) => _number);
}
