import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { must } from '../../activities/process/run.ts';
import { zuulPython } from '../zuul-python.ts';
import { type GerritHost, startHost } from './host.ts';
import { readTrees } from './parts.ts';
import { type Program, startProgram } from './program.ts';
import type { MeasuredGate } from './rounds.ts';
import { type Database, startDatabase, startZooKeeper, type ZooKeeper } from './zuul-stores.ts';

const project = 'bench/empty';

/** Zuul's own `noop` ends in its scheduler: no executor takes part, and none is started. */
const pipelines = `
- pipeline:
    name: gate
    manager: dependent
    precedence: high
    post-review: true
    require: {gerrit: {open: true, current-patchset: true, approval: [{Code-Review: 2}, {Workflow: 1}]}}
    trigger: {gerrit: [{event: comment-added, approval: [{Workflow: 1}]}]}
    success: {gerrit: {Verified: 2, submit: true}}
    failure: {gerrit: {Verified: -2}}
`;
const tenants = `
- tenant:
    name: bench
    source: {gerrit: {config-projects: [bench/config], untrusted-projects: [${project}]}}
`;

/** Milliseconds that Zuul has to read its configuration. */
const patience = 180_000;

/** Zuul's scheduler and a merger before a real Gerrit, with ZooKeeper and PostgreSQL. */
export async function startZuul(): Promise<MeasuredGate> {
  const programs = await installZuul();
  const host = await startHost({
    'bench/config': { 'zuul.yaml': pipelines },
    [project]: { '.zuul.yaml': '- project: {queue: shared, gate: {jobs: [noop]}}\n- queue: {name: shared}\n' },
  });
  const zookeeper = await startZooKeeper(host.home);
  const database = await startDatabase();
  const config = await configure(host, { zookeeper, database });
  const start = (name: string) =>
    startProgram([join(programs, `zuul-${name}`), '-f', '-c', config], join(host.home, `${name}.log`));
  const merger = start('merger');
  const scheduler = start('scheduler');
  await scheduler.said(/Won election for/, patience);
  const trees: readonly (readonly [Program | GerritHost, string])[] = [
    [host, 'Gerrit'],
    [scheduler, 'scheduler'],
    [merger, 'merger'],
    [zookeeper, 'ZooKeeper'],
    [database, 'PostgreSQL'],
  ];
  return {
    ...{ host, project },
    readParts: () => readTrees(new Map(trees.map(([{ pid }, name]) => [pid, name]))),
    async stop() {
      for (const program of [scheduler, merger, zookeeper, database, host]) await program.stop();
    },
  };
}

/** @returns the directory of Zuul's programs */
async function installZuul(): Promise<string> {
  // Zuul's connections ask for bubblewrap, though nothing is run in it here.
  const packages = ['bubblewrap', 'libzookeeper-java', 'postgresql'];
  await must('apt-get', ['install', '--yes', '--no-install-recommends', ...packages], { timeout: 600_000 });
  return dirname(await zuulPython());
}

interface Stores {
  readonly zookeeper: ZooKeeper;
  readonly database: Database;
}

/** @returns the file that the programs read */
async function configure(host: GerritHost, { zookeeper, database }: Stores): Promise<string> {
  const { home, site, account } = host;
  const place = (name: string) => join(home, name);
  await mkdir(place('state'));
  await writeFile(place('main.yaml'), tenants);
  const process = (name: string) => ({ pidfile: place(`${name}.pid`), command_socket: place(`${name}.socket`) });
  const sections = {
    zookeeper: {
      hosts: `127.0.0.1:${zookeeper.port}`,
      ...{ tls_key: zookeeper.tls.key, tls_cert: zookeeper.tls.cert, tls_ca: zookeeper.tls.ca },
    },
    database: { dburi: database.url },
    keystore: { password: 'secret' },
    scheduler: { ...process('scheduler'), tenant_config: place('main.yaml'), state_dir: place('state') },
    merger: {
      ...process('merger'),
      git_dir: place('merger'),
      git_user_name: 'Zuul',
      git_user_email: 'zuul@example.org',
    },
    'connection gerrit': {
      driver: 'gerrit',
      ...{ server: '127.0.0.1', port: site.sshPort, user: 'sluice', sshkey: account.identity },
      ...{ baseurl: site.url, auth_type: 'basic', password: (await readFile(account.password.file, 'utf8')).trim() },
    },
  };
  const text = Object.entries(sections).map(([name, keys]) =>
    [`[${name}]`, ...Object.entries(keys).map(([key, value]) => `${key} = ${value}`), ''].join('\n'),
  );
  await writeFile(place('zuul.conf'), text.join('\n'), { mode: 0o600 });
  return place('zuul.conf');
}
