import type { Relation } from '../format.ts';
import { compareVersions, parseVersion } from './version.ts';

/** Reads `NAME[ OPERATOR VERSION]`, one a line, as rpm prints dependencies. */
export function parseRelations(text: string): Relation[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', operator = '', version = ''] = line.trim().split(/\s+/);
    return name === '' || name === '(none)' ? [] : [{ name, operator, version }];
  });
}

/** Whether the relation speaks of the offer: without a version on either side, of every one. */
export function matches(relation: Relation, offer: Relation): boolean {
  if (relation.name !== offer.name) return false;
  if (relation.version === '' || offer.version === '') return true;
  // A relation without a release is about every release.
  const offered =
    parseVersion(relation.version)?.release == null ? offer.version.replace(/-[^-]*$/, '') : offer.version;
  const order = compareVersions(offered, relation.version);
  return relation.operator.includes(order === 0 ? '=' : order < 0 ? '<' : '>');
}
