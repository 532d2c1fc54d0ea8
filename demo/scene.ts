import { spawn } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { stringify } from 'yaml';
import { bridgeAddress } from '../activities/nodes/docker/bridge.ts';
import type { Provider } from '../activities/nodes/port.ts';
import { openProvider } from '../activities/nodes/registry.ts';
import { must } from '../activities/process/run.ts';
import { builtInPlatforms } from '../infra/images/platforms.ts';
import { readHolder } from '../infra/stack/lock.ts';
import type { PackageFormat } from '../pipelines/model/artifact.ts';
import type { Platform } from '../pipelines/model/platform.ts';
import { startCompanion } from './companion.ts';
import { createDeveloper, type Developer } from './developer.ts';
import type { Forge, RunSluice } from './forge.ts';
import { type DemoGerrit, gerritForge } from './forge-gerrit.ts';
import { ownForge } from './forge-git.ts';
import { machineSettings, wantMachines } from './machines.ts';
import { type DemoMirrors, mirrorHosts } from './mirrors.ts';
import type { Narrator } from './narrator.ts';
import { type Api, createObserver, type Observer } from './observer.ts';
import { preparePackages } from './packages.ts';

/** All that the story needs: a running Sluice, and somebody to push, approve and look. */
export interface Scene {
  readonly narrator: Narrator;
  readonly developer: Developer;
  readonly forge: Forge;
  readonly observer: Observer;
  /** Where users' machines come from. */
  readonly provider: Provider;
  readonly mirrors: DemoMirrors;
  readonly platforms: Readonly<Record<PackageFormat, Platform>>;
  /** The page's address. */
  readonly url: string;
  readonly data: string;
  /** Unpacked sources by project name. */
  readonly sources: string;
  readonly sluice: RunSluice;
}

const main = new URL('../cli/main.ts', import.meta.url).pathname;
const mirrorHost = new URL('./mirror-host.ts', import.meta.url).pathname;
const gerritHost = new URL('./gerrit-host.ts', import.meta.url).pathname;

export interface Staging {
  readonly narrator: Narrator;
  /** Where changes are reviewed: Sluice's own Git host, or a Gerrit that is started for the story. */
  readonly review: 'git' | 'gerrit';
  /** What the consumer's system test runs on. */
  readonly nodes: 'docker' | 'vm';
  /** Speaks to the stack of a sluice.yaml, by the file's path. */
  readonly connect: (config: string) => Api;
  /** More keys for the demo's sluice.yaml. */
  readonly settings?: object;
}

/** Where a demo keeps its things below `root`. */
export function demoPaths(root: string) {
  return { root, config: join(root, 'sluice.yaml'), data: join(root, 'data'), cache: join(root, '..', 'demo-cache') };
}

/**
 * Sets the scene from nothing: what an earlier demo left is removed, sources are fetched, mirrors and a stack of its
 * own are started.
 *
 * @param root directory of the demo
 */
export async function setScene(root: string, staging: Staging): Promise<Scene> {
  const { narrator, connect, review, nodes, settings = {} } = staging;
  const paths = demoPaths(root);
  const sluice: RunSluice = (...args) =>
    must(process.execPath, [main, ...args, '--config', paths.config]).then(({ stdout }) => stdout);
  await clearStage(paths, sluice);
  await preparePackages(paths.cache, join(root, 'sources'));
  if (nodes === 'vm') await wantMachines(join(root, 'sources'));
  const mirrors = await startMirrorHost(paths);
  const gerrit = review === 'gerrit' ? await startGerritHost(paths) : null;
  const connections = gerrit === null ? {} : { connections: { review: gerrit.review } };
  const machines = nodes === 'vm' ? machineSettings : {};
  await writeFile(paths.config, configuration(mirrors, { ...connections, ...machines, ...settings }));
  await startStack(paths);
  const api = connect(paths.config);
  const forge = gerrit === null ? ownForge(paths.config, sluice) : gerritForge(gerrit, paths.config);
  return {
    ...{ narrator, mirrors, sluice, forge, url: api.url, data: paths.data, sources: join(root, 'sources') },
    developer: createDeveloper(join(root, 'desk'), forge, narrator.say),
    observer: createObserver(api, narrator.say),
    provider: openProvider('docker'),
    platforms: { deb: platform('debian-12'), rpm: platform('rpm-debian-12') },
  };
}

type Paths = ReturnType<typeof demoPaths>;

async function clearStage({ root, data }: Paths, sluice: (...args: string[]) => Promise<string>): Promise<void> {
  if (readHolder(data) !== undefined) await sluice('down');
  await rm(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
}

function platform(name: string): Platform {
  const found = builtInPlatforms.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no built-in platform ${name}`);
  return found;
}

function configuration(mirrors: DemoMirrors, more: object): string {
  const set = (format: 'deb' | 'rpm') => ({
    source: `./data/released/${format}`,
    heads: ['stable'],
    init: true,
    hosts: mirrorHosts(mirrors, format),
  });
  const settings = {
    server: { listen: '127.0.0.1:0' },
    temporal: { port: 0, uiPort: 0 },
    mirrors: { deb: set('deb'), rpm: set('rpm') },
    ...more,
  };
  return `# Written by \`sluice demo\`.\n${stringify(settings)}`;
}

async function startMirrorHost({ root, data }: Paths): Promise<DemoMirrors> {
  const program = [mirrorHost, join(root, 'mirrors'), await bridgeAddress(), data];
  return (await startCompanion(program, join(root, 'mirrors.log'))) as DemoMirrors;
}

async function startGerritHost({ root, data }: Paths): Promise<DemoGerrit> {
  return (await startCompanion([gerritHost, join(root, 'gerrit'), data], join(root, 'gerrit.log'))) as DemoGerrit;
}

/** Seconds until a stack must be ready. */
const patience = 300;

async function startStack({ root, config, data }: Paths): Promise<void> {
  const log = openSync(join(root, 'up.log'), 'a');
  const child = spawn(process.execPath, [main, 'up', '--config', config], {
    detached: true,
    stdio: ['ignore', log, log],
  });
  child.unref();
  for (let tries = 0; tries < patience * 10; tries += 1) {
    if (readHolder(data)?.stack) return;
    if (child.exitCode !== null) break;
    await pause(100);
  }
  throw new Error(`the stack does not start: see ${join(root, 'up.log')}`);
}
