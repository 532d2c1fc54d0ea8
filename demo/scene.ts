import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { stringify } from 'yaml';
import { bridgeAddress } from '../activities/nodes/docker/bridge.ts';
import type { Provider } from '../activities/nodes/port.ts';
import { openProvider } from '../activities/nodes/registry.ts';
import { must } from '../activities/process/run.ts';
import { createGitHost } from '../activities/review/git/adapter.ts';
import { loadConfig } from '../infra/config/load.ts';
import { gitHostSettings } from '../infra/git-host/settings.ts';
import { builtInPlatforms } from '../infra/images/platforms.ts';
import { readHolder } from '../infra/stack/lock.ts';
import type { PackageFormat } from '../pipelines/model/artifact.ts';
import type { Platform } from '../pipelines/model/platform.ts';
import { createDeveloper, type Developer } from './developer.ts';
import { type DemoMirrors, mirrorHosts } from './mirrors.ts';
import type { Narrator } from './narrator.ts';
import { type Api, createObserver, type Observer } from './observer.ts';
import { preparePackages } from './packages.ts';

/** All that the story needs: a running Sluice, and somebody to push, approve and look. */
export interface Scene {
  readonly narrator: Narrator;
  readonly developer: Developer;
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
  /** Runs one command as a user would type it; it fails with what the command said. */
  sluice(...args: string[]): Promise<string>;
}

const main = new URL('../cli/main.ts', import.meta.url).pathname;
const mirrorHost = new URL('./mirror-host.ts', import.meta.url).pathname;

export interface Staging {
  readonly narrator: Narrator;
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
export async function setScene(root: string, { narrator, connect, settings = {} }: Staging): Promise<Scene> {
  const paths = demoPaths(root);
  const sluice = (...args: string[]) =>
    must(process.execPath, [main, ...args, '--config', paths.config]).then(({ stdout }) => stdout);
  await clearStage(paths, sluice);
  await preparePackages(paths.cache, join(root, 'sources'));
  const mirrors = await startMirrorHost(paths);
  await writeFile(paths.config, configuration(mirrors, settings));
  await startStack(paths);
  const api = connect(paths.config);
  const host = createGitHost(gitHostSettings(loadConfig({ file: paths.config })));
  return {
    ...{ narrator, mirrors, sluice, url: api.url, data: paths.data, sources: join(root, 'sources') },
    developer: createDeveloper(join(root, 'desk'), (project) => host.gitRemote(project).url, narrator.say),
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
  const args = [mirrorHost, join(root, 'mirrors'), await bridgeAddress(), data];
  const log = openSync(join(root, 'mirrors.log'), 'a');
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', log] });
  const said = child.stdout as Readable;
  const [line] = await Promise.race([
    once(createInterface(said), 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error(`the mirrors do not start: see ${root}/mirrors.log`))),
  ]);
  said.destroy();
  child.unref();
  return JSON.parse(line as string) as DemoMirrors;
}

/** Seconds until a stack must be ready. */
const patience = 60;

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
