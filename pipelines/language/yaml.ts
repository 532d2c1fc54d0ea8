import { isAlias, isMap, isScalar, isSeq, type Node, type ParsedNode, type Scalar, type YAMLMap } from 'yaml';
import { readBase64 } from './base64.ts';
import { type Fault, parseText } from './yaml-document.ts';
import { type LostEntry, parseRest } from './yaml-rest.ts';

/** Largest configuration file, in characters. */
const MAX_FILE_LENGTH = 8 * 1024 * 1024;
/** Deepest nesting of lists and maps. */
const MAX_DEPTH = 100;
/** Most nodes that all aliases of one file may expand to: small files that expand to huge ones are refused. */
const MAX_ALIASED_NODES = 100_000;

/** A value with `!override` or `!inherit` before it. */
export class Tagged {
  readonly override: boolean;
  readonly value: unknown;
  constructor(override: boolean, value: unknown) {
    this.override = override;
    this.value = value;
  }
}

/** A value of a secret, encrypted with the project's key; opaque here. */
class Encrypted {
  readonly scheme = 'pkcs1-oaep';
  readonly chunks: readonly string[];
  constructor(chunks: readonly string[]) {
    this.chunks = chunks;
  }
}

/** One entry of a configuration file: `kind: body`. */
export interface RawStanza {
  readonly kind: string;
  readonly body: Record<string, unknown>;
  readonly offset: number;
  /** The offset of each key of the body. */
  readonly marks: Readonly<Record<string, number>>;
  /** Where the value at a path in the body stands; the nearest value around it when there is none. */
  readonly locate: (path: readonly PropertyKey[], key?: string) => number;
}

export interface RawFile {
  readonly stanzas: readonly RawStanza[];
  readonly faults: readonly Fault[];
  /** What is read all the same, and may not be meant so. */
  readonly warnings: readonly Fault[];
  readonly lineStarts: readonly number[];
  /** Set when entries of the file are lost and nobody can say which. */
  readonly unreadable: boolean;
  /** Entries that are lost, as far as somebody can. */
  readonly lost?: readonly LostEntry[];
}

/**
 * Reads the YAML of a configuration file in bounded time: sizes, depth and expansion of aliases are limited. Whatever
 * cannot be read is a fault, and costs the entry that it is in; a fault between entries costs the file.
 */
export function readYaml(file: string): RawFile {
  const text = file.startsWith('\ufeff') ? file.slice(1) : file;
  const lineStarts = lineStartsOf(text);
  const failed = (fault: Fault): RawFile => {
    return { stanzas: [], faults: [fault], warnings: [], lineStarts, unreadable: true };
  };
  if (text.length > MAX_FILE_LENGTH) {
    return failed({ offset: 0, message: `file is larger than ${MAX_FILE_LENGTH} characters; split it` });
  }
  try {
    const parsed = parseText(text);
    if (!('fault' in parsed)) return { ...readEntries(parsed.contents), lineStarts };
    return readRest(text, lineStarts) ?? failed(parsed.fault);
  } catch (error) {
    const reason = error instanceof RangeError ? 'nested too deeply' : String(error);
    return failed({ offset: 0, message: `YAML: ${reason}` });
  }
}

/** What can be read of a text that is not YAML; undefined: nothing. */
function readRest(text: string, lineStarts: readonly number[]): RawFile | undefined {
  const rest = parseRest(text);
  if (rest === undefined) return undefined;
  const { stanzas, faults, warnings } = readEntries(rest.contents);
  const own = faults.filter(({ alias }) => alias === undefined || !rest.isLost(alias));
  return { stanzas, faults: [...rest.faults, ...own], warnings, lineStarts, unreadable: true, lost: rest.lost };
}

/** Offsets of the beginnings of lines. */
function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) starts.push(end + 1);
  return starts;
}

interface Entries extends Omit<RawFile, 'lineStarts' | 'lost'> {
  /** With the alias whose anchor is not there. */
  readonly faults: readonly (Fault & { readonly alias?: string })[];
}

function readEntries(contents: ParsedNode | null): Entries {
  if (contents === null || (isScalar(contents) && contents.value === null)) {
    return { stanzas: [], faults: [], warnings: [], unreadable: false };
  }
  if (!isSeq(contents)) {
    const message = 'a configuration file is a list of objects, each of the form "- job: …"';
    return { stanzas: [], faults: [{ offset: offsetOf(contents), message }], warnings: [], unreadable: true };
  }
  const reader = new Reader();
  const stanzas: RawStanza[] = [];
  const faults: Entries['faults'][number][] = [];
  for (const item of contents.items) {
    try {
      stanzas.push(readEntry(reader, item as Node));
    } catch (error) {
      if (!(error instanceof ReadError)) throw error;
      faults.push(error.fault);
    }
  }
  return { stanzas, faults, warnings: reader.warnings, unreadable: faults.length > 0 };
}

function readEntry(reader: Reader, item: Node): RawStanza {
  const entry = isAlias(item) ? reader.target(item) : item;
  if (!isMap(entry)) throw new ReadError('expected an object of the form "job: …"', offsetOf(item));
  const [pair, surplus] = entry.items;
  if (pair === undefined) throw new ReadError('empty object', offsetOf(item));
  const kind = keyText(pair.key as Node);
  if (surplus !== undefined) {
    const message = `an object has one key, but there is "${keyText(surplus.key as Node)}" beside "${kind}"; indent its attributes`;
    throw new ReadError(message, offsetOf(surplus.key as Node));
  }
  const node = pair.value as Node | null;
  const target = isAlias(node) ? reader.target(node) : node;
  if (!isMap(target)) throw new ReadError(`"${kind}" must be followed by attributes`, offsetOf(pair.key as Node));
  const body = reader.read(node) as Record<string, unknown>;
  const marks: Record<string, number> = {};
  for (const { key } of target.items) marks[keyText(key as Node)] = offsetOf(key as Node);
  return { kind, body, offset: offsetOf(item), marks, locate: (path, key) => locate(target, path, key) };
}

class ReadError extends Error {
  readonly fault: Entries['faults'][number];
  constructor(message: string, offset: number, more: { readonly alias?: string } = {}) {
    super(message);
    this.fault = { offset, message, ...more };
  }
}

interface Anchor {
  readonly node: Node;
  /** Undefined while the anchored node itself is being read. */
  result?: { readonly value: unknown; readonly size: number };
}

/** Turns nodes into plain data. Aliases share their target's value, so that reading costs what is written. */
class Reader {
  readonly warnings: Fault[] = [];
  readonly #anchors = new Map<string, Anchor>();
  #depth = 0;
  #size = 0;
  #aliased = 0;

  target(alias: Node): Node | null {
    return isAlias(alias) ? (this.#anchors.get(alias.source)?.node ?? null) : alias;
  }

  read(node: Node | null): unknown {
    if (node === null) return null;
    this.#size++;
    if (isAlias(node)) return this.#readAlias(node.source, offsetOf(node));
    const name = (node as { anchor?: string }).anchor;
    const anchor: Anchor = { node };
    if (name !== undefined) this.#anchors.set(name, anchor);
    const before = this.#size;
    if (++this.#depth > MAX_DEPTH) throw new ReadError(`nested more than ${MAX_DEPTH} levels deep`, offsetOf(node));
    try {
      const value = this.#readTagged(node);
      anchor.result = { value, size: this.#size - before + 1 };
      return value;
    } finally {
      this.#depth--;
      if (name !== undefined && anchor.result === undefined) this.#anchors.delete(name);
    }
  }

  #readAlias(name: string, offset: number): unknown {
    const anchor = this.#anchors.get(name);
    if (anchor === undefined) throw new ReadError(`unknown alias "*${name}"`, offset, { alias: name });
    if (anchor.result === undefined) throw new ReadError(`anchor "&${name}" contains itself`, offset);
    this.#size += anchor.result.size;
    this.#aliased += anchor.result.size;
    if (this.#aliased > MAX_ALIASED_NODES) {
      throw new ReadError(`aliases expand to more than ${MAX_ALIASED_NODES} values`, offset);
    }
    return anchor.result.value;
  }

  #readEncrypted(node: Node): string[] {
    const chunks = [this.#readPlain(node)].flat().map((chunk, index) => {
      const { text, stray } = typeof chunk === 'string' ? readBase64(chunk) : { text: undefined, stray: undefined };
      const offset = offsetOf(isSeq(node) ? (node.items[index] as Node) : node);
      if (text === undefined) throw new ReadError('an encrypted value is base64 text or a list of such', offset);
      if (stray !== undefined) {
        const message = `an encrypted value holds ${JSON.stringify(stray)}, which is not base64 and is passed over`;
        this.warnings.push({ offset, message });
      }
      return text;
    });
    return chunks;
  }

  #readTagged(node: Node): unknown {
    const tag = node.tag;
    if (tag === undefined || tag.startsWith('tag:yaml.org,2002:') || tag === '!unsafe' || tag === '!') {
      return this.#readPlain(node);
    }
    if (tag === '!override' || tag === '!inherit') return new Tagged(tag === '!override', this.#readPlain(node));
    if (tag === '!encrypted/pkcs1-oaep') return new Encrypted(this.#readEncrypted(node));
    throw new ReadError(`unknown tag "${tag}"`, offsetOf(node));
  }

  #readPlain(node: Node): unknown {
    if (isScalar(node)) return scalarValue(node);
    if (isSeq(node)) return node.items.map((item) => this.read(item as Node | null));
    if (isMap(node)) return this.#readMap(node);
    throw new ReadError('unexpected value', offsetOf(node));
  }

  #readMap(map: YAMLMap): Record<string, unknown> {
    const own: Record<string, unknown> = {};
    const merged: Record<string, unknown>[] = [];
    for (const { key, value } of map.items) {
      const keyNode = key as Node;
      const name = keyText(keyNode);
      if (name === '<<') {
        merged.push(...this.#mergeSources(value as Node | null, keyNode));
        continue;
      }
      if (Object.hasOwn(own, name)) throw new ReadError(`key "${name}" appears twice`, offsetOf(keyNode));
      if (name === '__proto__') throw new ReadError('key "__proto__" is not allowed', offsetOf(keyNode));
      own[name] = this.read(value as Node | null);
    }
    if (merged.length === 0) return own;
    // The first source of a merge wins over later ones, and the map's own keys over all.
    return Object.assign({}, ...merged.reverse(), own);
  }

  #mergeSources(value: Node | null, key: Node): Record<string, unknown>[] {
    const read = this.read(value);
    const sources = Array.isArray(read) ? read : [read];
    for (const source of sources) {
      if (typeof source !== 'object' || source === null || Array.isArray(source)) {
        throw new ReadError('"<<" merges maps only', offsetOf(key));
      }
    }
    return sources as Record<string, unknown>[];
  }
}

/** What is text in configurations although it looks like a number: an exponent without dot or sign, `08`, `-.5`. */
const NO_NUMBER = /^(?:[-+]?(?:[\d_]+e|[\d_.]+e\d|0[\d_]*[89][\d_]*$)|[-+]\.)/i;

/** Only what JSON can carry: dates and the numbers that are none stay as they are written. */
function scalarValue(node: Scalar): unknown {
  const { value } = node;
  if (value === null || typeof value === 'string') return value;
  // YAML 1.1 as configurations know it: "yes" is a boolean, "y" is text.
  if (typeof value === 'boolean') return node.source?.length === 1 ? node.source : value;
  if (typeof value === 'number' && Number.isFinite(value) && !NO_NUMBER.test(node.source ?? '')) return value;
  return node.source ?? String(value);
}

function keyText(key: Node): string {
  if (!isScalar(key))
    throw new ReadError('a key must be plain text (quote values that begin with "{{")', offsetOf(key));
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
}

function offsetOf(node: Node | null | undefined): number {
  return node?.range?.[0] ?? 0;
}

function locate(root: Node, path: readonly PropertyKey[], key?: string): number {
  let node: Node = root;
  for (const step of path) node = child(node, step) ?? node;
  if (key !== undefined && isMap(node)) {
    const pair = node.items.find((item) => isScalar(item.key) && keyText(item.key) === key);
    if (pair) return offsetOf(pair.key as Node);
  }
  return offsetOf(node);
}

function child(node: Node, step: PropertyKey): Node | undefined {
  if (isSeq(node) && typeof step === 'number') return node.items[step] as Node | undefined;
  if (!isMap(node)) return undefined;
  const pair = node.items.find((item) => isScalar(item.key) && keyText(item.key) === step);
  return (pair?.value as Node | null | undefined) ?? (pair?.key as Node | undefined);
}
