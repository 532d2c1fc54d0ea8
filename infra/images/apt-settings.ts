import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../activities/process/run.ts';
import { debianReleases } from './releases.ts';

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

/**
 * Reads the host's settings for one release; what the host lacks is left out. Where it has no source of the release,
 * but is a Debian itself, the release is taken from where its own comes from.
 *
 * @param root the host's `/etc/apt`
 */
export async function readAptSettings(codename: string, root = '/etc/apt'): Promise<AptSettings> {
  const files = await readAll(root, ['sources.list'], 'sources.list.d');
  const sources = files.flatMap(([name, text]) => (name.endsWith('.sources') ? fromStanzas(text) : fromLines(text)));
  const preferences = await readAll(root, ['preferences'], 'preferences.d');
  const wanted = sourcesOf(codename, sources, await ownCodename(join(root, '../os-release')));
  const config = await readConfig();
  // Where mmdebstrap chooses the archive, only this says that its lists are taken.
  const late = isUndated(codename) && wanted.length === 0 && !config.includes(undatedAll);
  return {
    sources: (isUndated(codename) ? wanted.map(undated) : wanted).map(lineOf),
    config: late ? `${config}\n${undatedAll}`.trim() : config,
    preferences: preferences.map(([, text]) => text.trim()).join('\n\n'),
  };
}

/** The same for another architecture than the host's: its entries may be for the host's alone. */
export function withoutArchitecture(settings: AptSettings): AptSettings {
  const sources = settings.sources.map((line) =>
    line.replace(/^deb \[([^\]]*)\] /, (_, options: string) => {
      const left = words(options).filter((option) => !/^arch[+-]?=/.test(option));
      return left.length === 0 ? 'deb ' : `deb [${left.join(' ')}] `;
    }),
  );
  return { ...settings, sources };
}

interface Source {
  readonly options: string;
  readonly uri: string;
  readonly suite: string;
  readonly components: string;
}

function lineOf({ options, uri, suite, components }: Source): string {
  return ['deb', options && `[${options}]`, uri, suite, components].filter(Boolean).join(' ');
}

function sourcesOf(codename: string, sources: readonly Source[], own: string | undefined): readonly Source[] {
  const of = (name: string) => sources.filter(({ suite }) => suite === name || suite.startsWith(`${name}-`));
  const wanted = of(codename);
  if (wanted.length > 0 || own === undefined) return wanted;
  // Backports and the like are a release's own business.
  const usual = new RegExp(`^${own}(-updates|-security)?$`);
  return of(own).flatMap((source) => {
    const [, pocket = ''] = usual.exec(source.suite) ?? [];
    return usual.test(source.suite) && debianUri.test(source.uri) ? [{ ...source, suite: codename + pocket }] : [];
  });
}

/** Other archives (vendors', say) may have a suite of that name and none of another release's. */
const debianUri = /\/debian(?:-security)?\/?$/;

async function ownCodename(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return /^ID="?debian"?$/m.test(text) ? /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(text)?.[1] : undefined;
}

const undatedAll = 'Acquire::Check-Valid-Until "false";';

function isUndated(codename: string): boolean {
  return debianReleases.some((release) => release.codename === codename && release.undated);
}

/** Lists past their `Valid-Until` are taken of this source, and of nothing else that the image reads. */
function undated(source: Source): Source {
  return { ...source, options: `${source.options} check-valid-until=no`.trim() };
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
