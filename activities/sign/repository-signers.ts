import type { ReleaseRules } from '../../pipelines/model/release-line.ts';
import type { IndexSigner } from '../repository/port.ts';
import type { ArchiveKeys, SigningKeys } from './archive-keys.ts';
import { createArchiveSigner } from './gpg.ts';

/** What signs one released repository. */
export interface RepositorySigner extends IndexSigner {
  readonly keys: SigningKeys;
  /** Whether it has keys of its own. */
  readonly own: boolean;
}

/** What signs each released repository: the keys that the rules name for it, else all. */
export function createRepositorySigners(keys: ArchiveKeys, rules: ReleaseRules): (name: string) => RepositorySigner {
  const all = signerOf(keys, false);
  const named = Object.entries(rules.keys ?? {}).map(
    ([name, some]) => [name, signerOf(keys.among(some), true)] as const,
  );
  const own = new Map(named);
  return (name) => own.get(name) ?? all;
}

function signerOf(keys: SigningKeys, own: boolean): RepositorySigner {
  return { ...createArchiveSigner(keys), keys, own };
}
