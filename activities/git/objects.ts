import { isUtf8 } from 'node:buffer';
import { writeObject } from './loose-object.ts';
import { checkRevision } from './names.ts';
import { objectReader, type RawObject } from './object-reader.ts';

/** A commit as Git has it. Author and committer are whole lines: `NAME <EMAIL> SECONDS ZONE`. */
export interface Commit {
  readonly id: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: string;
  readonly committer: string;
  /** Of the message, when it isn't UTF-8. */
  readonly encoding: string | null;
  /** Whether texts are bytes, a character each: those of another encoding than UTF-8, whether it is named or not. */
  readonly bytes: boolean;
  readonly message: string;
}

/** Reads objects by id or full ref, in the order asked for. */
export function readObjects(repo: string, names: readonly string[]): Promise<RawObject[]> {
  if (names.length === 0) return Promise.resolve([]);
  const reader = objectReader(repo);
  return Promise.all(names.map((name) => reader.read(name)));
}

/**
 * Reads commits by object id or full ref.
 *
 * @throws BadName for anything else; an error that names the revision when it is no commit of this repository.
 */
export async function readCommits(repo: string, revisions: readonly string[]): Promise<Commit[]> {
  const objects = await readObjects(repo, revisions.map(checkRevision));
  return objects.map((object, index) => {
    if (object?.type !== 'commit') throw new Error(`${repo} has no commit ${revisions[index]}`);
    return parseCommit(object.id, object.content);
  });
}

/** Writes a commit; the same fields give the same id. */
export async function writeCommit(repo: string, fields: Omit<Commit, 'id'>): Promise<Commit> {
  const { tree, parents, author, committer, encoding, bytes, message } = fields;
  const header = [
    `tree ${tree}`,
    ...parents.map((parent) => `parent ${parent}`),
    `author ${author}`,
    `committer ${committer}`,
    ...(encoding === null ? [] : [`encoding ${encoding}`]),
  ];
  const input = Buffer.from(`${header.join('\n')}\n\n${message}`, bytes ? 'latin1' : 'utf8');
  return { ...fields, id: await writeObject(repo, 'commit', input) };
}

/** The committer of every commit that Sluice makes: at the author's time, so that equal inputs make equal commits. */
export function committerAt(author: string): string {
  const when = /\d+ [+-]\d{4}$/.exec(author)?.[0] ?? '0 +0000';
  return `Sluice <sluice@localhost> ${when}`;
}

function parseCommit(id: string, content: string): Commit {
  const split = content.indexOf('\n\n');
  const lines = content.slice(0, split).split('\n');
  const all = (key: string) =>
    lines.filter((line) => line.startsWith(`${key} `)).map((line) => line.slice(key.length + 1));
  const encoding = all('encoding')[0] ?? null;
  const bytes = encoding !== null || !isUtf8(Buffer.from(content, 'latin1'));
  const text = bytes ? (raw: string) => raw : utf8;
  return {
    id,
    tree: all('tree')[0] ?? '',
    parents: all('parent'),
    author: text(all('author')[0] ?? ''),
    committer: text(all('committer')[0] ?? ''),
    encoding,
    bytes,
    message: text(content.slice(split + 2)),
  };
}

function utf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
