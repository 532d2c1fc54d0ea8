import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ConfigSource } from '../../pipelines/language/language.ts';
import { foreignTo } from '../../pipelines/model/architecture.ts';
import { shippedProject } from '../../pipelines/model/shipped.ts';
import { hostArch } from '../host-arch.ts';
import type { ConnectionSettings } from '../review/settings.ts';
import { reviewRules } from './review-rules.ts';

export { shippedProject };

const directory = fileURLToPath(new URL('../../pipelines/defaults', import.meta.url));
const place = { project: shippedProject, branch: 'master', trusted: true } as const;
/** Its names are everybody's where no project is built for that architecture. */
const offered = { ...place, offered: true } as const;

/** Review systems by name. */
export type Connections = Readonly<Record<string, ConnectionSettings>>;

const builtIn: Connections = { git: { driver: 'git' } };

/**
 * The shipped configuration, in order of path: its pipelines react to every connection, and it offers templates for each
 * architecture that a server is not.
 *
 * @param connections by default the built-in host alone
 * @param own the server's architecture, as Debian names it
 */
export async function readShipped(
  connections: Connections = builtIn,
  own = hostArch(),
): Promise<readonly ConfigSource[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.yaml')).sort();
  const texts = names.map(async (path) => ({ ...place, path, text: await readText(path, connections) }));
  return [...(await Promise.all(texts)), ...(await Promise.all(foreignTo(own).map(readForeign))).flat()];
}

/** What there is of one foreign architecture: each file has `ARCH` in its place. */
async function readForeign(arch: string): Promise<readonly ConfigSource[]> {
  const texts = ['deb', 'rpm'].map(async (format) => {
    const text = await readFile(join(directory, 'foreign', `${format}.yaml`), 'utf8');
    return { ...offered, path: `${format}-package-${arch}.yaml`, text: text.replaceAll('ARCH', arch) };
  });
  return Promise.all(texts);
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
