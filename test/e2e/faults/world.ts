import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, statSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import Docker from 'dockerode';
import { stringify } from 'yaml';
import { buildLabel } from '../../../activities/nodes/docker/labels.ts';
import { must } from '../../../activities/process/run.ts';
import { loadConfig } from '../../../infra/config/load.ts';
import { addProject } from '../../../infra/git-host/project.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import { choosePort } from '../../../infra/stack/ports.ts';
import type { Change } from '../../../pipelines/model/change.ts';
import type { Stage } from '../../../pipelines/model/job.ts';
import type { BuildRecord, BuildSetRecord, StatusView } from '../../../server/api/types.ts';
import { type Desk, messageFor, openDesk } from '../../activities/review/developer.ts';
import { type EngineSocket, openEngineSocket } from './engine.ts';
import { writeGreeter } from './greeter.ts';
import { createStack, type Stack, until } from './stack.ts';

export const formats = ['deb', 'rpm'] as const;

/** A running Sluice with one project, two mirrors of each format, and somebody who pushes. */
export interface World {
  readonly stack: Stack;
  readonly engine: EngineSocket;
  /** Commits files on top of `master` and pushes them for review. */
  propose(word: string, files: Readonly<Record<string, string>>): Promise<Change>;
  builds(change: Change): Promise<readonly BuildRecord[]>;
  buildSets(change: Change): Promise<readonly BuildSetRecord[]>;
  /** Whether a build's stage is at work on its worker: waiting for a place there does not count. */
  isAtWork(build: BuildRecord): boolean;
  log(build: BuildRecord): Promise<string>;
  /** Containers of a build that are still there. */
  containers(build: string): Promise<readonly string[]>;
  status(): Promise<StatusView>;
  /** What is released, as numbers of states shown so far and names of packages. */
  released(format: string): Promise<{ readonly states: number; readonly packages: readonly string[] }>;
  /** Whether a next state of a released repository is prepared and not shown yet. */
  isStaged(): Promise<boolean>;
  /** The packages that each mirror shows. */
  mirrored(format: string): Promise<readonly (readonly string[])[]>;
  /** Subjects on `master`, newest first. */
  merged(): Promise<readonly string[]>;
  end(): Promise<void>;
}

/** What a world has that others have not. */
export interface WorldOptions {
  /** Address that the server listens on. */
  readonly host?: string;
  /** Jobs that this machine runs at once. */
  readonly jobs?: number;
  /** What its sluice.yaml has besides. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Fills the data directory before the stack starts. */
  readonly furnish?: (data: string) => Promise<void>;
}

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-faults-'));
  const engine = await openEngineSocket(join(directory, 'engine.sock'));
  await configure(directory, options);
  const stack = createStack(directory, { DOCKER_HOST: engine.url });
  await options.furnish?.(stack.data);
  await stack.start();
  const remote = join(stack.data, 'git', 'greeter.git');
  const desk = await openDesk(join(directory, 'desk'), remote);
  const { get, data } = stack;
  return {
    stack,
    engine,
    propose: (word, files) => propose({ stack, desk }, word, files),
    builds: ({ id }) => get<BuildRecord[]>('/api/builds', { change: id, limit: 100 }),
    buildSets: ({ id }) => get<BuildSetRecord[]>('/api/buildsets', { change: id, limit: 100 }),
    isAtWork: ({ id, stage, endTime }) => {
      const written = statSync(logFile(data, id, stage, '.part'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
      return endTime === null && written > stack.lastKill();
    },
    log: ({ id, stage }) =>
      readFile(logFile(data, id, stage), 'utf8').catch(() => readFile(logFile(data, id, stage, '.part'), 'utf8')),
    containers: async (build) => {
      const filters = { label: [`${buildLabel}=${build}`] };
      return (await new Docker().listContainers({ all: true, filters })).map(({ Id }) => Id);
    },
    status: () => get<StatusView>('/api/status'),
    released: (format) => released(data, format),
    isStaged: () => isStaged(data),
    mirrored: (format) => Promise.all(mirrors.map((name) => packagesIn(join(directory, name, format, 'stable')))),
    merged: async () => (await must('git', ['-C', remote, 'log', '--format=%s', 'master'])).stdout.trim().split('\n'),
    async end() {
      await stack.stop();
      engine.away();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const mirrors = ['m1', 'm2'] as const;

/** Ports are chosen once: a stack that was killed comes back at the same address. */
async function configure(
  directory: string,
  { host = '127.0.0.1', jobs = 4, settings: more }: WorldOptions,
): Promise<void> {
  const port = () => choosePort('127.0.0.1', 0, 'test');
  const { name: _, ...platform } = builtInPlatforms[0] ?? assert.fail('there is no platform');
  const set = (format: string) => ({
    source: `./data/released/${format}`,
    heads: ['stable'],
    init: true,
    hosts: Object.fromEntries(mirrors.map((name) => [name, { url: `./${name}/${format}` }])),
  });
  const settings = {
    server: { listen: `${host}:${await choosePort(host, 0, 'test')}` },
    temporal: { port: await port(), uiPort: await port() },
    workers: { build: jobs },
    platforms: { 'small-disk': { ...platform, limits: { ...platform.limits, diskMiB: 64 } } },
    mirrors: Object.fromEntries(formats.map((format) => [format, set(format)])),
    ...more,
  };
  const file = join(directory, 'sluice.yaml');
  await writeFile(file, stringify(settings));
  const source = join(directory, 'source');
  mkdirSync(source);
  await writeGreeter(source);
  const author = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org'];
  await must('git', ['init', '-q', '-b', 'master', source]);
  await must('git', ['-C', source, 'add', '--all']);
  await must('git', ['-C', source, ...author, 'commit', '-q', '-m', 'Import greeter']);
  await addProject(loadConfig({ file }), { name: 'greeter', url: source, queue: null, templates: [] });
}

async function propose(
  { stack, desk }: { readonly stack: Stack; readonly desk: Desk },
  word: string,
  files: Readonly<Record<string, string>>,
): Promise<Change> {
  await desk.git('fetch', '-q', 'origin');
  await desk.git('checkout', '-q', '--detach', 'origin/master');
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(desk.directory, path)), { recursive: true });
    await writeFile(join(desk.directory, path), text, { mode: text.startsWith('#!') ? 0o755 : 0o644 });
  }
  await desk.git('add', '--all');
  await desk.git('commit', '-q', '-m', messageFor(word));
  const pushed = await desk.push('refs/for/master');
  assert.equal(pushed.code, 0, pushed.stderr);
  return until(`the change ${word}`, async () => {
    const open = await stack.get<Change[]>('/api/changes');
    return open.find(({ message }) => message.startsWith(`Work on ${word}\n`));
  });
}

function logFile(data: string, build: string, stage: Stage | string, suffix = ''): string {
  return join(data, 'storage', 'logs', build, `${stage}.log${suffix}`);
}

async function released(data: string, format: string) {
  const tree = join(data, 'released', format);
  const state = await readlink(tree).catch(() => '0');
  return { states: Number(state.split('/').at(-1)), packages: await packagesIn(tree) };
}

async function isStaged(data: string): Promise<boolean> {
  const homes = formats.map((format) => join(data, 'released', `.${format}.generations`));
  const names = await Promise.all(homes.map((home) => readdir(home).catch(() => [])));
  return names.flat().some((name) => name.startsWith('staged-'));
}

/** Names of the package files below a tree. */
export async function packagesIn(tree: string): Promise<readonly string[]> {
  const all = await readdir(`${tree}/`, { recursive: true }).catch(() => []);
  const names = all.map((path) => path.split('/').at(-1) ?? '');
  return names.filter((name) => /\.(deb|noarch\.rpm)$/.test(name)).sort();
}
