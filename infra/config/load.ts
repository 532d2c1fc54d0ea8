import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Document, type ErrorCode, isAlias, isMap, isNode, isPair, isSeq, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { systemReason } from '../../activities/files/system-reason.ts';
import { asking, meant } from '../../pipelines/language/near-key.ts';
import { kindOf, toldOnce, wording } from '../../pipelines/language/wording.ts';
import type { Problem } from '../../pipelines/model/position.ts';
import { replaceReferences } from './environment.ts';
import { keyFaults, lineFaults } from './lines.ts';
import { notePlaces } from './project-places.ts';
import { configSchema, type Settings } from './schema.ts';

/** The whole configuration, with every default filled in and every path absolute. */
export interface Config extends Settings {
  /** Absolute path of the file; null when there is none. */
  readonly file: string | null;
  /** What the command line gave in place of the file's: the same holds when the file is read again. */
  readonly given: { readonly data?: string };
}

/** All that is wrong with a configuration file, each with its place. */
export class InvalidConfiguration extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ path, line, column, message }) => `${path}:${line}:${column}: ${message}`).join('\n'));
    this.name = 'InvalidConfiguration';
    this.problems = problems;
  }
}

export interface LoadOptions {
  /** As given by the user; default `sluice.yaml` where there is one, else the defaults alone. */
  readonly file?: string | undefined;
  /** Replaces `data`. */
  readonly data?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly directory?: string;
}

/**
 * Reads `sluice.yaml`.
 *
 * @throws InvalidConfiguration with everything that is wrong at once.
 */
export function loadConfig(options: LoadOptions = {}): Config {
  const directory = options.directory ?? process.cwd();
  const file = options.file ?? (existsSync(resolve(directory, 'sluice.yaml')) ? 'sluice.yaml' : undefined);
  const config = file === undefined ? noConfig(directory) : readConfig(file, directory, options.env ?? process.env);
  if (options.data === undefined) return config;
  const data = resolve(directory, options.data);
  return { ...config, data, given: { data } };
}

/**
 * The data directory that the file names, though the file as a whole may be wrong; else the default's.
 *
 * @returns undefined where the file cannot be read
 */
export function dataAsWritten({ directory = process.cwd(), ...options }: LoadOptions = {}): string | undefined {
  const absolute = resolve(directory, options.file ?? 'sluice.yaml');
  const text = readIfPossible(absolute);
  if (text === undefined) return undefined;
  if (options.data !== undefined) return resolve(directory, options.data);
  const document = parseDocument(text, { prettyErrors: false });
  replaceReferences(document, options.env ?? process.env);
  const written = document.get('data');
  return typeof written === 'string' ? resolve(dirname(absolute), written) : noConfig(dirname(absolute)).data;
}

function readIfPossible(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function noConfig(directory: string): Config {
  return { file: null, given: {}, ...configSchema((path) => resolve(directory, path)).parse({}) };
}

function readConfig(file: string, directory: string, env: NonNullable<LoadOptions['env']>): Config {
  const absolute = resolve(directory, file);
  const text = readText(file, absolute);
  const settings = parseConfig({ path: file, text, directory: dirname(absolute), env });
  notePlaces(text, settings.projects);
  return { file: absolute, given: {}, ...settings };
}

function readText(file: string, absolute: string): string {
  try {
    return readFileSync(absolute, 'utf8');
  } catch (error) {
    const message = `cannot be read: ${systemReason(error as Error)}`;
    throw new InvalidConfiguration([{ path: file, line: 1, column: 1, severity: 'error', message }]);
  }
}

export interface ConfigText {
  /** The file's name in messages. */
  readonly path: string;
  readonly text: string;
  /** What relative paths are relative to. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** @throws InvalidConfiguration with everything that is wrong at once. */
export function parseConfig({ path, text, directory, env }: ConfigText): Settings {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number, message: string): Problem => {
    const { line, col } = lines.linePos(offset);
    return { path, line: Math.max(line, 1), column: Math.max(col, 1), severity: 'error', message };
  };
  const broken = textFaults(document, text).map(({ offset, message }) => at(offset, message));
  if (broken.length > 0) throw new InvalidConfiguration(broken);
  const missing = replaceReferences(document, env).map(({ offset, message }) => at(offset, message));
  const plain = toPlain(document, at) ?? {};
  const result = configSchema((each) => resolve(directory, each)).safeParse(plain, asking);
  const wrong = [...toldOnce(result.error?.issues ?? []), ...betweenLines(plain)].flatMap((issue) =>
    places(document, issue).map((place) => at(place.offset, place.message)),
  );
  const isMissing = ({ line, column }: Problem) => missing.some((each) => each.line === line && each.column === column);
  const problems = [...missing, ...wrong.filter((problem) => !isMissing(problem))].sort(inOrder);
  if (problems.length > 0 || result.data === undefined) throw new InvalidConfiguration(problems);
  return result.data;
}

/** The library looks at what several keys say together only where each by itself is right. */
function betweenLines(plain: unknown): z.core.$ZodIssue[] {
  const { release, platforms } = plain as {
    readonly release?: { readonly lines?: unknown };
    readonly platforms?: unknown;
  };
  const ofLines = lineFaults(release?.lines, platforms).map((fault) => ({ ...fault, path: ['lines', ...fault.path] }));
  return [...ofLines, ...keyFaults(release)].map(({ path, message }) => {
    return { code: 'custom', path: ['release', ...path], message, input: undefined };
  });
}

/**
 * What is found wrong with values later, of what they name, at their places in the file.
 *
 * @param file absolute
 */
export function invalidAt(
  file: string,
  faults: readonly { readonly path: readonly (string | number)[]; readonly message: string }[],
): InvalidConfiguration {
  const text = readText(file, file);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems = faults.map(({ path, message }): Problem => {
    const { line, col } = lines.linePos(offsetOf(document, path, false));
    const said = `${path.join('.')}: ${message}`;
    return { path: file, line: Math.max(line, 1), column: Math.max(col, 1), severity: 'error', message: said };
  });
  return new InvalidConfiguration(problems.sort(inOrder));
}

function inOrder(a: Problem, b: Problem): number {
  return a.line - b.line || a.column - b.column;
}

function toPlain(document: Document, at: (offset: number, message: string) => Problem): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new InvalidConfiguration([at(0, (error as Error).message)]);
  }
}

interface Place {
  readonly offset: number;
  readonly message: string;
}

/** What is wrong with the file as YAML, each once: the library tells some twice, and of some what a program should do. */
function textFaults({ errors }: Document.Parsed, text: string): Place[] {
  const told = new Map<string, Place>();
  for (const { code, pos, message } of errors) {
    const [offset] = pos;
    told.set(`${offset} ${code}`, { offset, message: textFault(code, message, text.slice(offset)) });
  }
  return [...told.values()];
}

function textFault(code: ErrorCode, message: string, rest: string): string {
  if (code === 'DUPLICATE_KEY') return `the key ${/^[^:\n]*/.exec(rest)?.[0].trim()} appears twice in this map`;
  return code === 'MULTIPLE_DOCS' ? 'a second document begins; a file has one' : message;
}

/** Where an issue stands and what it says; a key that is not known stands at the key. */
function places(document: Document, issue: z.core.$ZodIssue): Place[] {
  const name = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => {
      const whole = name === '' ? key : `${name}.${key}`;
      const message = `"${whole}" is not a known key${meant(key, issue)}`;
      return { offset: offsetOf(document, [...issue.path, key], true), message };
    });
  if (issue.code === 'invalid_key') {
    const reason = issue.issues.map(({ message }) => message).join('; ');
    return [{ offset: offsetOf(document, issue.path, true), message: `"${issue.path.at(-1)?.toString()}" ${reason}` }];
  }
  // What a value is may come from the environment, and be secret.
  const message = wording(issue, kindOf);
  return [{ offset: offsetOf(document, issue.path, false), message: name === '' ? message : `${name}: ${message}` }];
}

/** The offset of the deepest node on the way to `path`; of its key rather than its value with `key`. */
function offsetOf(document: Document, path: readonly PropertyKey[], key: boolean): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const [index, part] of path.entries()) {
    const found = step(node, part);
    if (found === undefined) return offset;
    node = isAlias(found.value) ? found.value.resolve(document) : found.value;
    const shown = key && index === path.length - 1 ? found.key : (found.value ?? found.key);
    if (isNode(shown)) offset = shown.range?.[0] ?? offset;
  }
  return offset;
}

function step(node: unknown, part: PropertyKey): { key: unknown; value: unknown } | undefined {
  if (isMap(node)) {
    const pair = node.items.find((each) => isPair(each) && isNode(each.key) && String(each.key) === String(part));
    return pair && { key: pair.key, value: pair.value };
  }
  if (isSeq(node)) return { key: node.items[Number(part)], value: node.items[Number(part)] };
  return undefined;
}
