import { join } from 'node:path';

/** What is where in a data directory. */
export interface DataPaths {
  /** Blobs and logs. */
  readonly storage: string;
  /** Test repositories are in `test/` below it. */
  readonly repositories: string;
  /** Released repositories: one directory for each format. */
  readonly released: string;
  /** The embedded store. */
  readonly store: string;
  /** Bare Git repositories of Sluice's own host. */
  readonly git: string;
  /** Those of other hosts, fetched, by connection. */
  readonly gitCache: string;
  /** What the hosts of connections have. */
  readonly listings: string;
  /** Lists of distributions' archives. */
  readonly archiveLists: string;
  /** Work directories of stages. */
  readonly work: string;
  /** The signer's own: its keys, which nobody else can read. */
  readonly keys: string;
  /** Tokens of workers on other machines, by their names. */
  readonly workers: string;
  /** The workers' own: the key by which they attest what they build. */
  readonly builder: string;
  /** The build worker's own: the key that test repositories are signed with, and nothing else. */
  readonly testKeys: string;
  /** The server's own: the keys of projects' secrets, which no other user can read. */
  readonly secretKeys: string;
  /** What the signer shows to all: its public key, and signed content. */
  readonly publicKeys: string;
}

export function dataPaths(data: string): DataPaths {
  const below = (name: string) => join(data, name);
  return {
    storage: below('storage'),
    repositories: below('repositories'),
    released: below('released'),
    store: below('store'),
    git: below('git'),
    gitCache: below('git-cache'),
    listings: below('projects'),
    archiveLists: below('archive-lists'),
    work: below('work'),
    keys: below('keys'),
    workers: below('workers'),
    builder: below('builder-key'),
    testKeys: below('test-keys'),
    secretKeys: below('secret-keys'),
    publicKeys: below('public-keys'),
  };
}
