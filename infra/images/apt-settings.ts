import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../activities/process/run.ts';

/** What an image needs of the host's APT so that the archive is reached in the same way. */
export interface AptSettings {
  /** One-line entries; empty: leave the archive's address to mmdebstrap. */
  readonly sources: readonly string[];
  /** Content of an apt.conf. */
  readonly config: string;
  /** Content of a preferences file. */
  readonly preferences: string;
}

/** Settings that decide whether and how an archive is reached. */
const carried = /^Acquire::(?:https?::Proxy|https?::Proxy::\S*|ftp::Proxy|Check-Valid-Until|Retries|ForceIPv4) "/i;

/** Reads the host's settings for one release; what the host lacks is left out. `root` is the host's `/etc/apt`. */
export async function readAptSettings(codename: string, root = '/etc/apt'): Promise<AptSettings> {
  const files = await readAll(root, ['sources.list'], 'sources.list.d');
  const sources = files.flatMap(([name, text]) => (name.endsWith('.sources') ? fromStanzas(text) : fromLines(text)));
  const wanted = sources.filter(({ suite }) => suite === codename || suite.startsWith(`${codename}-`));
  const preferences = await readAll(root, ['preferences'], 'preferences.d');
  return {
    sources: wanted.map(({ options, uri, suite, components }) =>
      ['deb', options && `[${options}]`, uri, suite, components].filter(Boolean).join(' '),
    ),
    config: await readConfig(),
    preferences: preferences.map(([, text]) => text.trim()).join('\n\n'),
  };
}

interface Source {
  readonly options: string;
  readonly uri: string;
  readonly suite: string;
  readonly components: string;
}

function fromLines(text: string): Source[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
    const [, options = '', uri, suite, components = ''] = match ?? [];
    return uri && suite ? [{ options: options.trim(), uri, suite, components: components.trim() }] : [];
  });
}

function fromStanzas(text: string): Source[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, 'im').exec(stanza)?.[1]?.trim() ?? '';
    if (!/\bdeb\b(?!-)/.test(field('Types')) || field('Enabled').toLowerCase() === 'no') return [];
    const key = field('Signed-By');
    const options = key.startsWith('/') ? `signed-by=${key.split(/\s+/).join(',')}` : '';
    return words(field('URIs')).flatMap((uri) =>
      words(field('Suites')).map((suite) => ({ options, uri, suite, components: field('Components') })),
    );
  });
}

function words(text: string): string[] {
  return text.split(/\s+/).filter(Boolean);
}

async function readConfig(): Promise<string> {
  const dump = await run('apt-config', ['dump']).catch(() => ({ stdout: '' }));
  const lines = dump.stdout.split('\n').filter((line) => carried.test(line));
  for (const scheme of ['http', 'https']) {
    const proxy = process.env[`${scheme}_proxy`];
    const known = lines.some((line) => line.startsWith(`Acquire::${scheme}::Proxy `));
    if (proxy && !known && !/["\n]/.test(proxy)) lines.push(`Acquire::${scheme}::Proxy "${proxy}";`);
  }
  return lines.sort().join('\n');
}

async function readAll(root: string, names: readonly string[], folder: string): Promise<(readonly [string, string])[]> {
  const inside = await readdir(join(root, folder)).catch(() => []);
  const paths = [...names, ...inside.sort().map((name) => join(folder, name))];
  const read = async (path: string) => [path, await readFile(join(root, path), 'utf8').catch(() => '')] as const;
  return Promise.all(paths.map(read));
}
