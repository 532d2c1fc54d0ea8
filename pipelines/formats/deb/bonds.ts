import type { Bond, Relation } from '../format.ts';
import { type Paragraph, parseControl } from './control.ts';
import { parseRelations } from './relations.ts';

/** What the packages of a list of `Packages` or `Sources` offer and need. */
export function bondsIn(text: string): Bond[] {
  return parseControl(text).map((fields) => (fields.Filename === undefined ? source(fields) : binary(fields)));
}

function binary(fields: Paragraph): Bond {
  const { Package: name = '', Version: version = '', Architecture: arch = '', Source: made = name } = fields;
  const [, sourceName = name, sourceVersion = version] = /^(\S+)(?:\s+\((\S+)\))?/.exec(made) ?? [];
  return {
    ...{ name, version, arch, source: { name: sourceName, version: sourceVersion } },
    offers: [{ name, operator: '=', version }, ...parseRelations(fields.Provides ?? '')],
    needs: [...needs(fields['Pre-Depends']), ...needs(fields.Depends)],
  };
}

function source(fields: Paragraph): Bond {
  const { Package: name = '', Version: version = '' } = fields;
  const asked = ['Build-Depends', 'Build-Depends-Arch', 'Build-Depends-Indep'].flatMap((key) => needs(fields[key]));
  return { name, version, arch: 'source', source: null, offers: [], needs: asked };
}

function needs(field = ''): Relation[][] {
  return field
    .split(',')
    .map(parseRelations)
    .filter((one) => one.length > 0);
}
