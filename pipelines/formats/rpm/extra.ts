import { isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml';
import type { ExtraKind } from './extra-kinds.ts';
import { lineAt, type TextFault, xmlFault } from './well-formed.ts';
import { child, type Element, parseXml } from './xml.ts';

/** What is wrong with a text of a kind; null where clients can read it. */
export function extraFault(kind: ExtraKind, text: string): TextFault | null {
  const unread = text.indexOf('\ufffd');
  // Whoever reads a file puts it where bytes are no text.
  if (unread >= 0) return { line: lineAt(text, unread), message: 'this is not text in UTF-8' };
  if (kind === 'modules') return modulesFault(text);
  return xmlFault(text, kind === 'updateinfo' ? 'updates' : 'comps');
}

/** The kinds of documents that clients of modules know. */
const documents = ['modulemd', 'modulemd-defaults', 'modulemd-obsoletes', 'modulemd-translations'];

function modulesFault(text: string): TextFault | null {
  const lines = new LineCounter();
  const found = readModules(text, lines);
  const fault = (at: number, message: string) => ({ line: Math.max(lines.linePos(at).line, 1), message });
  if (found.length === 0) return fault(0, 'there is no document in it');
  for (const { contents, errors, range } of found) {
    const [error] = errors;
    if (error !== undefined) return fault(error.pos[0], `YAML: ${error.message}`);
    const wrong = documentFault(contents);
    if (wrong !== null) return fault(wrong.at?.range?.[0] ?? contents?.range?.[0] ?? range[0], wrong.message);
  }
  return null;
}

function readModules(text: string, lineCounter = new LineCounter()) {
  const found = parseAllDocuments(text, { lineCounter, prettyErrors: false, version: '1.1', logLevel: 'silent' });
  return Array.isArray(found) ? found : [];
}

function documentFault(contents: Node | null): { readonly at?: Node | null; readonly message: string } | null {
  if (!isMap(contents)) return { message: 'a document is a map with document, version and data' };
  const [kind, version, data] = ['document', 'version', 'data'].map(
    (key) => contents.get(key, true) as Node | undefined,
  );
  const called = isScalar(kind) ? String(kind.value) : '';
  if (!documents.includes(called))
    return { at: kind ?? null, message: `document is ${called || 'missing'}: one of ${documents.join(', ')}` };
  if (!isScalar(version) || !Number.isInteger(version.value)) {
    return { at: version ?? null, message: `version of the ${called} is no whole number` };
  }
  if (!isMap(data)) return { at: data ?? null, message: `the ${called} has no data` };
  const needed = called === 'modulemd' ? ['name', 'stream', 'version', 'summary', 'license'] : ['module'];
  const missing = needed.find((key) => !data.has(key));
  return missing === undefined ? null : { at: data, message: `data of the ${called} has no ${missing}` };
}

/** A package that a text names, as far as it does: what it leaves out may be anything. */
export interface Named {
  /** Who names it, such as an advisory. */
  readonly by: string;
  readonly name: string;
  /** `[EPOCH:]VERSION-RELEASE`; undefined for any. */
  readonly evr?: string;
  readonly arch?: string;
}

/** The packages that a text without faults names. */
export function namedBy(kind: ExtraKind, text: string): readonly Named[] {
  if (kind === 'modules') return readModules(text).flatMap(({ contents }) => artifacts(contents));
  const { children } = parseXml(text.replace(/<!DOCTYPE[^[<>]*>/, ''));
  return kind === 'updateinfo' ? children.flatMap(inAdvisory) : children.flatMap(inGroup);
}

function inAdvisory(update: Element): readonly Named[] {
  const by = child(update, 'id')?.text.trim() ?? '';
  return below(below([update], 'pkglist'), 'collection', 'package').map(({ attributes }) => {
    const { name = '', epoch = '0', version = '', release = '', arch = '' } = attributes;
    return { by, name, evr: evrOf(epoch, `${version}-${release}`), arch };
  });
}

function inGroup(group: Element): readonly Named[] {
  const by = child(group, 'id')?.text.trim() ?? '';
  return below([group], 'packagelist', 'packagereq').map(({ text }) => ({ by, name: text.trim() }));
}

function below(elements: readonly Element[], ...names: readonly string[]): readonly Element[] {
  return names.reduce(
    (some, name) => some.flatMap(({ children }) => children.filter((one) => one.name === name)),
    elements,
  );
}

function artifacts(contents: Node | null): readonly Named[] {
  if (!isMap(contents) || contents.get('document') !== 'modulemd') return [];
  const rpms = contents.getIn(['data', 'artifacts', 'rpms'], true);
  const by = ['name', 'stream'].map((key) => textOf(contents.getIn(['data', key], true))).join(':');
  const texts = isSeq(rpms) ? rpms.items.map((one) => textOf(one)) : [];
  return texts.flatMap((text) => {
    const [, name, epoch = '0', rest = '', arch] = /^(.+)-(?:(\d+):)?([^-]+-[^-]+)\.([^.]+)$/.exec(text) ?? [];
    return name === undefined || arch === undefined ? [] : [{ by, name, evr: evrOf(epoch, rest), arch }];
  });
}

/** As it is written: a stream 1.10 is no number. */
function textOf(node: unknown): string {
  return isScalar(node) ? (node.source ?? String(node.value)) : '';
}

function evrOf(epoch: string, rest: string): string {
  return epoch === '0' || epoch === '' ? rest : `${epoch}:${rest}`;
}

/** Sentences of one kind: what is beyond is counted. */
const most = 5;

/** Says which packages a text names that a repository has not: clients pass over them. */
export function sayAbsent(
  kind: ExtraKind,
  text: string,
  packages: readonly { readonly name: string; readonly version: string; readonly arch: string }[],
): readonly string[] {
  const names = new Set(packages.map(({ name }) => name));
  const whole = new Set(packages.map(({ name, version, arch }) => `${name}-${version}.${arch}`));
  const absent = namedBy(kind, text).flatMap(({ by, name, evr, arch }) => {
    const called = evr === undefined ? name : `${name}-${evr}.${arch}`;
    return (evr === undefined ? names : whole).has(called) ? [] : [`${by} names ${called}`];
  });
  const unique = [...new Set(absent)];
  const more = unique.length > most ? [`${kind}: and ${unique.length - most} more`] : [];
  return [...unique.slice(0, most).map((one) => `${kind}: ${one}, which is not in the repository`), ...more];
}
