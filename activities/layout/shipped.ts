import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ConfigSource } from '../../pipelines/language/language.ts';
import { shippedProject } from '../../pipelines/model/shipped.ts';
import type { ConnectionSettings } from '../review/settings.ts';
import { reviewRules } from './review-rules.ts';

export { shippedProject };

const directory = fileURLToPath(new URL('../../pipelines/defaults', import.meta.url));
const place = { project: shippedProject, branch: 'master', trusted: true } as const;

/** Review systems by name. */
export type Connections = Readonly<Record<string, ConnectionSettings>>;

const builtIn: Connections = { git: { driver: 'git' } };

/**
 * The shipped configuration, in order of path: its pipelines react to every connection.
 *
 * @param connections by default the built-in host alone
 */
export async function readShipped(connections: Connections = builtIn): Promise<readonly ConfigSource[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.yaml')).sort();
  return Promise.all(names.map(async (path) => ({ ...place, path, text: await readText(path, connections) })));
}

async function readText(path: string, connections: Connections): Promise<string> {
  const text = await readFile(join(directory, path), 'utf8');
  if (path !== 'pipelines.yaml') return text;
  const drivers = new Set(Object.values(connections).map(({ driver }) => driver));
  const others = [...drivers].filter((driver) => driver !== 'git');
  const rules = await Promise.all(
    others.map(
      async (driver) => [driver, await readFile(join(directory, 'reviews', `${driver}.yaml`), 'utf8')] as const,
    ),
  );
  return reviewRules({ text, connections, rules: Object.fromEntries(rules) });
}
