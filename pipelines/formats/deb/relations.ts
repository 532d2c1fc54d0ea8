import type { Relation } from '../format.ts';
import { compareVersions, parseVersion } from './version.ts';

/** Reads `NAME [(OPERATOR VERSION)]` between commas and bars; architecture qualifiers are left out. */
export function parseRelations(text: string): Relation[] {
  return text.split(/[,|]/).flatMap((one) => {
    const [, name, operator = '', version = ''] =
      /^\s*([^\s:([]+)[^(]*(?:\(\s*([<>=]+)\s*([^\s)]+)\s*\))?/.exec(one) ?? [];
    return name === undefined ? [] : [{ name, operator, version }];
  });
}

/** Whether the relation speaks of the offer. One with a version says nothing of an offer without. */
export function matches(relation: Relation, offer: Relation): boolean {
  if (relation.name !== offer.name) return false;
  if (relation.operator === '') return true;
  if (parseVersion(relation.version) === null || parseVersion(offer.version) === null) return false;
  const order = compareVersions(offer.version, relation.version);
  if (order === 0) return !['<<', '>>'].includes(relation.operator);
  return relation.operator.startsWith(order < 0 ? '<' : '>');
}
