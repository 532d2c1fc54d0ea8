import type { Bond, Relation } from '../format.ts';
import { evr } from './repodata.ts';
import { child, type Element, parseXml } from './xml.ts';

const operators: Readonly<Record<string, string>> = { EQ: '=', LT: '<', GT: '>', LE: '<=', GE: '>=' };

/** What the packages of a `primary.xml` offer and need; files that it names are offered, too. */
export function bondsIn(text: string): Bond[] {
  return parseXml(text)
    .children.filter((one) => one.name === 'package')
    .map(bondOf);
}

function bondOf(element: Element): Bond {
  const { epoch = '', ver = '', rel = '' } = child(element, 'version')?.attributes ?? {};
  const format = child(element, 'format');
  const arch = child(element, 'arch')?.text ?? '';
  const built = arch !== 'src' && arch !== 'nosrc';
  const files = format?.children.filter(({ name }) => name === 'file').map((file) => file.text.trim()) ?? [];
  return {
    ...{ name: child(element, 'name')?.text ?? '', version: evr({ epoch, version: ver, release: rel }), arch },
    source: built ? sourceOf(inside(format, 'rpm:sourcerpm')?.text ?? '') : null,
    offers: built ? [...relationsOf(inside(format, 'rpm:provides')), ...files.map(bare)] : [],
    needs: relationsOf(inside(format, 'rpm:requires')).flatMap(needOf),
  };
}

function inside(element: Element | undefined, name: string): Element | undefined {
  return element === undefined ? undefined : child(element, name);
}

function relationsOf(element: Element | undefined): Relation[] {
  return (element?.children ?? []).map(({ attributes: { name = '', flags = '', epoch = '', ver = '', rel } }) => {
    const version = rel === undefined ? ver : `${ver}-${rel}`;
    const prefix = epoch === '' || epoch === '0' ? '' : `${epoch}:`;
    return { name, operator: operators[flags] ?? '', version: version === '' ? '' : prefix + version };
  });
}

function bare(name: string): Relation {
  return { name, operator: '', version: '' };
}

/** Of a rich dependency every name that it speaks of is taken for needed: that keeps too much, and never too little. */
function needOf(relation: Relation): Relation[][] {
  if (!relation.name.startsWith('(')) return [[relation]];
  const words = relation.name.match(/[^\s()]+(?:\([^\s()]*\))*/g) ?? [];
  return words.map((word) => [bare(word)]);
}

/** NAME-VERSION-RELEASE.src.rpm */
function sourceOf(file: string): Bond['source'] {
  const [, name, version] = /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/.exec(file.trim()) ?? [];
  return name === undefined || version === undefined ? null : { name, version };
}
