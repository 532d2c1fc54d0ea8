import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { operations } from './operations.ts';

/**
 * Makes `description.json` anew: names and types of what GitLab's API takes and answers, out of the sources of
 * `gitlab.com/gitlab-org/api/client-go`. Usage: `extract.ts DIRECTORY-OF-THE-MODULE VERSION`.
 */

const [directory = '', version = ''] = process.argv.slice(2);

type Fields = Record<string, unknown>;
const structs = new Map<string, readonly string[]>();
const aliases = new Map<string, string>();

for (const file of readdirSync(directory).filter((name) => name.endsWith('.go') && !name.endsWith('_test.go'))) {
  const text = readFileSync(join(directory, file), 'utf8').replace(/^\ttype (\w+)/gm, '\t$1');
  for (const [, name = '', body = ''] of text.matchAll(/^(?:type |\t)(\w+) struct \{\n([\s\S]*?)^\t?\}$/gm)) {
    if (!structs.has(name)) structs.set(name, body.split('\n'));
  }
  for (const [, name = '', type = ''] of text.matchAll(/^type (\w+) ([\w[\].*]+)$/gm)) aliases.set(name, type);
}

const kept: Record<string, Fields> = {};

/** The type of a value as it is written here, with all types that it needs. */
function keep(type: string): string {
  if (type.startsWith('*')) return keep(type.slice(1));
  if (type.startsWith('[]')) return `[]${keep(type.slice(2))}`;
  const plain = plainOf(type);
  if (plain !== null) return plain;
  const alias = aliases.get(type);
  if (alias !== undefined) return keep(alias);
  const lines = structs.get(type);
  if (lines === undefined) return 'any';
  if (kept[type] === undefined) {
    kept[type] = {};
    kept[type] = fieldsOf([...lines]);
  }
  return type;
}

function plainOf(type: string): string | null {
  if (/^(u?int\d*|float\d*)$/.test(type)) return 'number';
  if (type === 'string' || type === 'bool') return type;
  if (/^(time\.Time|ISOTime|LabelOptions)$/.test(type)) return 'string';
  return /^(any|interface|map\[|json\.|url\.)/.test(type) ? 'any' : null;
}

/** Reads fields until the structure ends. */
function fieldsOf(lines: string[]): Fields {
  const fields: Fields = {};
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    const text = line.trim();
    if (text.startsWith('}')) break;
    const embedded = /^\*?(\w+)(?: `url:",inline"`)?$/.exec(text);
    if (embedded) {
      keep(embedded[1] ?? '');
      Object.assign(fields, kept[embedded[1] ?? '']);
      continue;
    }
    const [, name = '', type = '', tags = ''] = /^(\w+)\s+([^\s`]+(?: \{)?)\s*(.*)$/.exec(text) ?? [];
    if (name === '' || /^(\/\/|Deprecated)/.test(text)) continue;
    if (/^(\*|\[\])*struct/.test(type)) {
      const closing = lines.findIndex((each) => each.startsWith(`${/^\t*/.exec(line)?.[0]}}`));
      const inner = fieldsOf(lines.slice(0, closing));
      fields[nameIn(lines[closing] ?? '', name)] = inner;
      lines.splice(0, closing + 1);
      continue;
    }
    fields[nameIn(tags, name)] = keep(type);
  }
  return fields;
}

function nameIn(tags: string, name: string): string {
  return /(?:json|url):"([^",]+)/.exec(tags)?.[1] ?? name.toLowerCase();
}

const used = operations.map(({ answer, options, ...rest }) => ({
  ...rest,
  answer: keep(answer),
  ...(options === undefined ? {} : { options: keep(options) }),
}));
const sorted = Object.fromEntries(Object.entries(kept).sort(([a], [b]) => (a < b ? -1 : 1)));
const text = JSON.stringify({ version, operations: used, types: sorted }, null, 2);
writeFileSync(join(import.meta.dirname, 'description.json'), `${text}\n`);
