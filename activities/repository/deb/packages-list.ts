import { parseControl } from '../../../pipelines/formats/deb/control.ts';
import { packageFile } from '../../../pipelines/formats/deb/release.ts';
import { strongest } from '../../../pipelines/formats/digest.ts';
import type { NamedPackage } from '../port.ts';

/** Fields that say what a package is and which file it has, as lists write them. */
const wanted = [
  'Package',
  'Version',
  'Architecture',
  'Filename',
  'Size',
  'SHA512',
  'SHA256',
  'SHA1',
  'MD5sum',
] as const;
type Fields = Partial<Record<(typeof wanted)[number], string>>;
const names: ReadonlySet<string> = new Set(wanted);
const lowered: ReadonlySet<string> = new Set(wanted.map((name) => name.toLowerCase()));
/** First letters of these fields, in both cases. */
const initials = new Set([...lowered].flatMap((name) => [name.charCodeAt(0), name.charCodeAt(0) - 32]));

const [newline, colon, blank, tab, carriageReturn] = [10, 58, 32, 9, 13];

/**
 * Reads a `Packages` list: what `parseControl` and `packageFile` make of it. Lists have a million lines of which few
 * are asked for, so a paragraph that is written as usual is read without taking the others apart.
 */
export function readPackages(list: Buffer): NamedPackage[] {
  const usual = !list.includes(carriageReturn) && list.at(-1) === newline;
  if (!usual) return parseControl(list.toString()).map(namedBinary);
  const packages: NamedPackage[] = [];
  for (let at = 0; at < list.length; ) {
    const end = endOfParagraph(list, at);
    const fields = fieldsIn(list, at, end);
    if (fields !== null) packages.push(named(fields));
    else packages.push(...parseControl(list.toString('utf8', at, end + 1)).map(namedBinary));
    at = end + 1;
  }
  return packages;
}

/** The newline that ends the line of blanks after a paragraph, or the last of the list. */
function endOfParagraph(list: Buffer, start: number): number {
  for (let at = list.indexOf(newline, start); at >= 0; at = list.indexOf(newline, at + 1)) {
    let next = at + 1;
    while (list[next] === blank || list[next] === tab) next += 1;
    if (next >= list.length || list[next] === newline) return Math.min(next, list.length - 1);
  }
  return list.length - 1;
}

/** The wanted fields of a paragraph; null where any of it is not written as usual. */
function fieldsIn(list: Buffer, start: number, end: number): Fields | null {
  const fields: Fields = {};
  // Whether what stood in the line before would go on in this one.
  let open = false;
  for (let at = start; at < end; ) {
    const stop = list.indexOf(newline, at);
    const first = list[at] ?? 0;
    const wanted = initials.has(first);
    const name = wanted || open ? nameIn(list, at, stop) : '';
    if (open && (name === '' || first === blank || first === tab)) return null;
    open = names.has(name);
    if (open) {
      const value = valueIn(list, at + name.length + 1, stop);
      if (value === null) return null;
      fields[name as keyof Fields] = value;
    } else if (wanted && lowered.has(name.toLowerCase())) return null;
    at = stop + 1;
  }
  return fields.Package === undefined || fields.Filename === undefined ? null : fields;
}

/** The name of the field that a line begins; empty where it begins none. */
function nameIn(list: Buffer, start: number, end: number): string {
  const stop = list.indexOf(colon, start);
  if (stop < 0 || stop > end) return '';
  for (let at = start; at < stop; at += 1) if ((list[at] ?? 0) <= blank || (list[at] ?? 0) > 126) return '';
  return list.toString('latin1', start, stop);
}

/** Null where it is not plain ASCII, or ends with a blank. */
function valueIn(list: Buffer, start: number, end: number): string | null {
  let from = start;
  while (list[from] === blank || list[from] === tab) from += 1;
  for (let at = from; at < end; at += 1) if ((list[at] ?? 0) > 126) return null;
  const after = list[end - 1];
  return from < end && (after === blank || after === tab) ? null : list.toString('latin1', from, Math.max(from, end));
}

function named(fields: Fields): NamedPackage {
  const { Package: name = '', Version: version = '', Architecture: arch = '', Filename: path = '' } = fields;
  const { SHA512: sha512 = '', SHA256: sha256 = '', SHA1: sha1 = '', MD5sum: md5 = '' } = fields;
  const digest = strongest({ sha512, sha256, sha1, md5 });
  return { kind: 'binary', name, version, arch, path, size: Number(fields.Size ?? ''), digest };
}

function namedBinary(paragraph: Readonly<Record<string, string>>): NamedPackage {
  const { Package: name = '', Version: version = '', Architecture: arch = '' } = paragraph;
  return { kind: 'binary', name, version, arch, ...packageFile(paragraph) };
}
