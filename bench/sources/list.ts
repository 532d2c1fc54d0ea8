import { readFile } from 'node:fs/promises';

/** One source of Debian's archive, as `list.tsv` names it. */
export interface ListedSource {
  readonly name: string;
  readonly version: string;
  /** Of the `.dsc`, which has the digests of all other files. Hexadecimal. */
  readonly sha256: string;
  /** What dpkg-source calls its format. */
  readonly format: string;
  /** Why it is in the list. */
  readonly tags: readonly string[];
}

/** Reads `list.tsv`: a line of names, then one source a line. @throws with the line's number for one that is none. */
export async function readList(): Promise<readonly ListedSource[]> {
  const path = new URL('list.tsv', import.meta.url);
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  return lines.slice(1).map((line, index) => {
    const [name, version, sha256, format, tags] = line.split('\t');
    if (!name || !version || !format || !/^[0-9a-f]{64}$/.test(sha256 ?? '') || tags === undefined) {
      throw new Error(
        `list.tsv:${index + 2}: name, version, sha256, format and tags are wanted, with tabs between them`,
      );
    }
    return { name, version, sha256: sha256 ?? '', format, tags: tags.split(' ').filter(Boolean) };
  });
}
