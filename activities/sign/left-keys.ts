import { join } from 'node:path';
import { isFormats, type ReleaseRules } from '../../pipelines/model/release-line.ts';
import { exists } from '../files/exists.ts';
import { keyName, readKeyring } from '../keys/keyring.ts';
import { must } from '../process/run.ts';
import { publicKeyFile } from '../repository/port.ts';

/**
 * What is to be known before a repository whose packages are signed is shown other keys: nothing is released there while
 * one of its packages is by a key that its clients are not shown.
 *
 * @param tree the repository as it is shown
 * @param shown fingerprints of the keys that its clients are shown from now on
 * @returns null where they are shown all that they were
 */
export async function leftKeys(
  rules: ReleaseRules,
  {
    repository,
    tree,
    shown,
  }: { readonly repository: string; readonly tree: string; readonly shown: readonly string[] },
): Promise<string | null> {
  const file = join(tree, publicKeyFile);
  const line = rules.lines.find(({ name }) => name === repository);
  const signed = line === undefined ? repository === 'rpm' : line.codename === '';
  if (!signed || !(await exists(file))) return null;
  const args = ['--batch', '--with-colons', '--fixed-list-mode', '--show-keys', '--', file];
  const left = readKeyring((await must('gpg', args)).stdout).filter(({ fingerprint }) => !shown.includes(fingerprint));
  if (left.length === 0) return null;
  const names = left.map(keyName).join(', ');
  return `clients of ${repository} are no longer shown ${names}: while one of its packages is by such a key, nothing is released there; name the key in \`${keyListOf(rules, repository)}\`, after those that are there`;
}

/** Where the configuration names the keys that clients of a repository are shown. */
export function keyListOf(rules: ReleaseRules, repository: string): string {
  if (rules.keys?.[repository] === undefined) return 'release.keys.former';
  return isFormats(repository) ? `release.${repository}.keys` : `release.lines.${repository}.keys`;
}
