import { plain } from '../commit.ts';
import { parseSpecHead } from './spec.ts';

/*
 * `%autorelease` and `%autochangelog`, as Fedora's rpmautospec has them: release and changelog come from Git's history.
 * https://docs.pagure.org/fedora-infra.rpmautospec/
 */

/** Whether the release of a spec comes from Git's history. */
export function usesAutorelease(spec: string): boolean {
  return /^Release\s*:\s*%(?:autorelease\b|\{\??autorelease\b)/im.test(spec);
}

/** Whether the changelog of a spec comes from Git's history. */
export function usesAutochangelog(spec: string): boolean {
  return autochangelog.test(spec);
}

const autochangelog = /^%(?:autochangelog\b|\{\??autochangelog\})/m;

/** A commit, as far as it counts. */
export interface CountedCommit {
  readonly id: string;
  readonly parents: readonly string[];
  /** Whether it has the spec. */
  readonly present: boolean;
  /** Epoch and version in its spec; null for a spec that cannot be read. */
  readonly part: string | null;
  /** What `[bump release: N]` in its message asks for; 0 for nothing. */
  readonly bump: number;
}

/**
 * The release number of each commit: one more than the highest of its parents with the same epoch and version, so that
 * a new version starts at 1. A commit whose spec cannot be read does not break the count.
 *
 * @param history parents before children.
 */
export function releaseNumbers(history: readonly CountedCommit[]): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  const parts = new Map<string, string | null>();
  for (const { id, parents, present, part, bump } of history) {
    const applicable = parents.map((parent) => {
      const other = parts.get(parent) ?? null;
      return part === null || other === null || part === other ? (numbers.get(parent) ?? 0) : 0;
    });
    parts.set(id, part);
    numbers.set(id, Math.max(...applicable.map((number) => number + (present ? 1 : 0)), present ? 1 : 0, bump));
  }
  return numbers;
}

/** What lines of a commit's message ask for: `[skip changelog]`, `[bump release: N]`, several between commas. */
export function magicComments(message: string): { readonly skip: boolean; readonly bump: number } {
  const parts = message.split('\n').flatMap((line) => /^\s*\[(.*)\]\s*$/.exec(line)?.[1]?.split(',') ?? []);
  const bumps = parts.map((part) => Number(/^\s*bump\s+release\s*(?::\s*)?(\d{1,6})\b/.exec(part)?.[1] ?? 0));
  return { skip: parts.some((part) => /^\s*skip\s+changelog\b/.test(part)), bump: Math.max(0, ...bumps) };
}

/** Options of `%autorelease`: `-b BASE`, `-e EXTRA`, `-s SNAPSHOT`, `-p` (prerelease), `-n` (without the platform's tag). */
const macro = (number: number) =>
  '%define autorelease(e:s:pb:n) %{?-p:0.}' +
  `%{lua:print(${number} - 1 + tonumber(rpm.expand("%{?-b*}%{!?-b:1}")))}` +
  '%{?-e:.%{-e*}}%{?-s:.%{-s*}}%{!?-n:%{?dist}}\n';

/** A spec that says itself what `%autorelease` is: it can be built again from its source package. */
export function defineAutorelease(spec: string, number: number): string {
  return macro(number) + spec;
}

/** The release that a spec and its number come to, without the platform's tag. */
export function completeRelease(spec: string, number: number): string {
  const release = parseSpecHead(spec)?.release ?? '';
  const option = (letter: string) => new RegExp(`\\s-${letter}\\s*([^\\s}]+)`).exec(release)?.[1];
  const base = Number(option('b') ?? 1);
  const tags = ['e', 's'].flatMap((letter) => option(letter) ?? []);
  const before = /\s-p\b/.test(release) ? ['0'] : [];
  return [...before, number - 1 + (Number.isSafeInteger(base) ? base : 1), ...tags].join('.');
}

/** A commit as an entry of the changelog has it. */
export interface LoggedCommit {
  readonly message: string;
  readonly author: string;
  readonly email: string;
  /** Seconds since the epoch. */
  readonly time: number;
  /** `[EPOCH:]VERSION-RELEASE` of its state; null when its spec cannot be read. */
  readonly version: string | null;
}

/**
 * The entries of a generated changelog, one for each commit.
 *
 * @param commits newest first.
 * @param before the text that follows: rpm wants no entry to be older than the one below it.
 */
export function autoEntries(commits: readonly LoggedCommit[], before: string): string {
  const newest = Date.parse(`${/^\s*\*\s+\w{3}\s+(\w{3}\s+\d{1,2}\s+\d{4})/.exec(before)?.[1]} UTC`);
  let floor = Number.isNaN(newest) ? 0 : newest;
  const entries = commits.toReversed().map((commit) => {
    floor = Math.max(floor, commit.time * 1000);
    const [day, date, month, year] = new Date(floor).toUTCString().replace(',', '').split(' ');
    const version = commit.version === null ? '' : ` - ${commit.version}`;
    const head = `* ${day} ${month} ${date} ${year} ${plain(commit.author)} <${plain(commit.email)}>${version}`;
    return [head, ...itemsOf(commit.message).map((item) => `- ${plain(item)}`)].join('\n').replaceAll('%', '%%');
  });
  return entries
    .reverse()
    .map((entry) => `${entry}\n\n`)
    .join('');
}

/**
 * The items of a commit's entry: its subject, which goes on in a body that begins with `...`, then the list of `-` items
 * that the body begins with or that follows at once.
 */
export function itemsOf(message: string): readonly string[] {
  const [subject = '', ...rest] = message.trim().split(/\n\s*\n/);
  const items = [[...lines(subject)].join(' ').replace(/^-\s*/, '')];
  const [first = '', second = ''] = rest;
  const continued = /^\s*(?:\.{3,}|…+)\s*/.exec(first);
  const body = lines(continued === null ? first : first.slice(continued[0].length));
  const start = body.findIndex((line) => line.startsWith('-'));
  if (continued !== null) items[0] += ` ${body.slice(0, start < 0 ? body.length : start).join(' ')}`;
  else if (start !== 0) return items;
  const list = start >= 0 ? body.slice(start) : lines(second);
  if (list[0]?.startsWith('-') !== true) return items;
  for (const line of list) {
    if (line.startsWith('-')) items.push(line.replace(/^-\s*/, ''));
    else items[items.length - 1] += ` ${line}`;
  }
  return items;
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
