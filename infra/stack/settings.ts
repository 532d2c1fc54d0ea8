import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWholeSync } from '../../activities/files/write.ts';
import type { Config } from '../config/load.ts';

/** A configuration in which everything that a stack chooses as it starts is chosen. */
export interface StackConfig extends Config {
  readonly server: Config['server'] & { readonly url: string };
  readonly temporal: Config['temporal'] & { readonly address: string; readonly uiUrl: string };
  /** Both as the file has them, to be compared with it. */
  readonly asRead: Pick<Config, 'server' | 'temporal'>;
}

const variable = 'SLUICE_STACK';

/**
 * Writes a stack's configuration down for its processes: an environment holds no more than 128 KiB of it, which is
 * some thousand projects.
 *
 * @returns the environment that tells them where it is
 */
export function stackEnvironment(config: StackConfig): NodeJS.ProcessEnv {
  const path = join(config.data, 'stack.json');
  mkdirSync(config.data, { recursive: true });
  writeWholeSync(path, JSON.stringify(config));
  return { [variable]: path };
}

/** The configuration that a supervisor handed to this process; undefined for a process started by hand. */
export function readStackConfig(env: NodeJS.ProcessEnv = process.env): StackConfig | undefined {
  const path = env[variable];
  return path === undefined ? undefined : (JSON.parse(readFileSync(path, 'utf8')) as StackConfig);
}

/** Fills in the addresses of parts that run by themselves, on one machine or several. */
export function standalone(config: Config): StackConfig {
  const { server, temporal } = config;
  const address = temporal.address ?? `127.0.0.1:${temporal.port}`;
  return {
    ...config,
    asRead: { server, temporal },
    server: { ...server, url: server.url ?? httpUrl(server.listen.host, server.listen.port) },
    temporal: { ...temporal, address, uiUrl: temporal.uiUrl ?? httpUrl('127.0.0.1', temporal.uiPort) },
  };
}

export function httpUrl(host: string, port: number): string {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
