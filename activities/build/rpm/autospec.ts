import {
  autoEntries,
  type CountedCommit,
  completeRelease,
  type LoggedCommit,
  magicComments,
  releaseNumbers,
} from '../../../pipelines/formats/rpm/autospec.ts';
import { countedPart, parseSpecHead } from '../../../pipelines/formats/rpm/spec.ts';
import { git } from '../../git/git.ts';
import { readObjects } from '../../git/objects.ts';

/** What Git's history says of a spec that leaves its release or its changelog to it. */
export interface AutoHistory {
  /** Of the commit that is built. */
  readonly number: number;
  /** The generated changelog, to stand in front of `before`. */
  entries(before: string): Promise<string>;
}

/** Where the entries stand that are not generated: those from before the spec left its changelog to Git. */
export function changelogBeside(path: string): string {
  return [...path.split('/').slice(0, -1), 'changelog'].join('/');
}

/** Entries that a generated changelog has at most. */
const longest = 1000;

/**
 * Reads the history of the commit that is built.
 *
 * @param path of the spec in the commit.
 */
export async function readAutoHistory(gitDir: string, path: string): Promise<AutoHistory> {
  const specs = await readSpecs(gitDir, await namesOf(gitDir, path));
  const counted = await countCommits(gitDir, specs);
  const numbers = releaseNumbers(counted);
  const number = numbers.get(counted.at(-1)?.id ?? '') ?? 1;
  const versionOf = (id: string) => {
    const spec = specs.get(id);
    const head = spec === undefined ? null : parseSpecHead(spec);
    if (head === null || spec === undefined) return null;
    const epoch = head.epoch === '0' ? '' : `${head.epoch}:`;
    return `${epoch}${head.version}-${completeRelease(spec, numbers.get(id) ?? 1)}`;
  };
  const changelog = changelogBeside(path);
  return {
    number,
    entries: async (before) => autoEntries(await logged(gitDir, { changelog, specs, versionOf }), before),
  };
}

/** The spec's names, newest first: a rename does not start the count anew. */
async function namesOf(gitDir: string, path: string): Promise<readonly string[]> {
  const args = ['log', '--follow', '--name-only', '-z', '--format=', 'HEAD', '--', path];
  const names = (await git(gitDir, args)).split('\0').map((name) => name.replace(/^\n+/, ''));
  return [...new Set([path, ...names])].filter((name) => name !== '' && !name.includes('\n'));
}

/** The spec's text at each commit that has it, by the commit's id. */
async function readSpecs(gitDir: string, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const commits = (await git(gitDir, ['rev-list', 'HEAD'])).split('\n').filter(Boolean);
  const asked = commits.flatMap((id) => names.map((name) => ({ id, name })));
  const input = asked.map(({ id, name }) => `${id}:${name}\n`).join('');
  const answers = (await git(gitDir, ['cat-file', '--batch-check=%(objecttype) %(objectname)'], { input })).split('\n');
  const blobs = new Map<string, string>();
  for (const [index, { id }] of asked.entries()) {
    const blob = /^blob ([0-9a-f]+)$/.exec(answers[index] ?? '')?.[1];
    if (blob !== undefined && !blobs.has(id)) blobs.set(id, blob);
  }
  const unique = [...new Set(blobs.values())];
  const contents = await readObjects(gitDir, unique);
  const texts = new Map(unique.map((blob, index) => [blob, String(contents[index]?.content ?? '')]));
  return new Map([...blobs].map(([id, blob]) => [id, texts.get(blob) ?? '']));
}

async function countCommits(gitDir: string, specs: ReadonlyMap<string, string>): Promise<readonly CountedCommit[]> {
  const bumps = await readBumps(gitDir);
  const parts = new Map<string, string | null>();
  const partOf = (spec: string) => {
    if (!parts.has(spec)) {
      const head = parseSpecHead(spec);
      parts.set(spec, head === null ? null : countedPart(head));
    }
    return parts.get(spec) ?? null;
  };
  const list = await git(gitDir, ['rev-list', '--topo-order', '--reverse', '--parents', 'HEAD']);
  return list
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [id = '', ...parents] = line.split(' ');
      const spec = specs.get(id);
      const present = spec !== undefined;
      return { id, parents, present, part: present ? partOf(spec) : null, bump: bumps.get(id) ?? 0 };
    });
}

async function readBumps(gitDir: string): Promise<ReadonlyMap<string, number>> {
  const args = [
    'log',
    '-z',
    '--format=%H%n%B',
    '--extended-regexp',
    '--grep=^[[:space:]]*\\[.*bump[[:space:]]+release',
  ];
  const found = (await git(gitDir, [...args, 'HEAD'])).split('\0').filter(Boolean);
  return new Map(
    found.map((entry) => {
      const at = entry.indexOf('\n');
      return [entry.slice(0, at), magicComments(entry.slice(at)).bump];
    }),
  );
}

interface Log {
  /** Path of the file that the generated entries stand in front of. */
  readonly changelog: string;
  readonly specs: ReadonlyMap<string, string>;
  readonly versionOf: (id: string) => string | null;
}

/** The commits since that file was changed, newest first; merges say nothing of their own. */
async function logged(gitDir: string, { changelog, specs, versionOf }: Log): Promise<readonly LoggedCommit[]> {
  const since = (await git(gitDir, ['rev-list', '--max-count=1', 'HEAD', '--', changelog])).trim();
  const range = since === '' ? ['HEAD'] : ['HEAD', `^${since}`];
  const args = [
    'log',
    '-z',
    '--topo-order',
    '--no-merges',
    `--max-count=${longest}`,
    '--format=%H%x1f%an%x1f%ae%x1f%ct%x1f%B',
  ];
  const found = (await git(gitDir, [...args, ...range])).split('\0').filter(Boolean);
  return found.flatMap((entry): LoggedCommit[] => {
    const [id = '', author = '', email = '', time = '0', message = ''] = entry.trim().split('\x1f');
    if (!specs.has(id) || magicComments(message).skip) return [];
    return [{ author, email, time: Number(time), message, version: versionOf(id) }];
  });
}
