import { compareVersions } from './version.ts';

/** A spec around its changelog. */
export interface SplitSpec {
  /** Up to and with the line `%changelog`. */
  readonly before: string;
  /** The entries; empty for a spec that has none. */
  readonly changelog: string;
  /** Sections behind it. */
  readonly after: string;
}

/** What begins another section (rpm-spec(5)). */
const section =
  /^%(?:package|description|sourcelist|patchlist|prep|generate_buildrequires|conf|build|install|check|clean|files|verifyscript|(?:pre|post)(?:un|trans|untrans)?|(?:file|transfile)?trigger(?:in|un|prein|postun)?)(?![\w-])/m;

/** Takes a spec apart; joined again it is the same text. */
export function splitSpec(text: string): SplitSpec {
  const start = /^%changelog\b.*\n?/m.exec(text);
  if (start === null) return { before: text, changelog: '', after: '' };
  const from = start.index + start[0].length;
  const rest = text.slice(from);
  const end = section.exec(rest)?.index ?? rest.length;
  return { before: text.slice(0, from), changelog: rest.slice(0, end), after: rest.slice(end) };
}

interface Entry {
  /** Its version, else its first line; numbered where it comes again. */
  readonly key: string;
  readonly text: string;
  /** Milliseconds since the epoch; NaN where the first line has no date. */
  readonly date: number;
  /** Empty for none. */
  readonly version: string;
}

/**
 * Merges the entries of a spec's changelog: those that either side adds, changes or removes, the newest first.
 *
 * @returns null when both sides say something else of one version.
 */
export function mergeChangelogs(base: string, ours: string, theirs: string): string | null {
  const [old, mine, other] = [base, ours, theirs].map(readEntries);
  if (old === undefined || mine === undefined || other === undefined) return null;
  if (mine.preface !== other.preface && old.preface !== mine.preface && old.preface !== other.preface) return null;
  const merged: Entry[] = [];
  for (const entry of mine.entries) {
    const kept = choose(old.byKey.get(entry.key), entry, other.byKey.get(entry.key));
    if (kept === null) return null;
    if (kept !== undefined) merged.push(kept);
  }
  for (const entry of other.entries.filter(({ key }) => !mine.byKey.has(key)).reverse()) {
    const kept = choose(old.byKey.get(entry.key), undefined, entry);
    if (kept === null) return null;
    if (kept !== undefined) merged.splice(placeOf(kept, merged), 0, kept);
  }
  const preface = old.preface === mine.preface ? other.preface : mine.preface;
  const end = /\n*$/.exec(ours)?.[0] ?? '';
  return preface + merged.map(({ text }) => text).join('\n\n') + (merged.length === 0 ? '' : end || '\n');
}

/** The entry that stands after a merge; undefined for none, null for a conflict. */
function choose(old: Entry | undefined, mine: Entry | undefined, other: Entry | undefined): Entry | undefined | null {
  if (mine?.text === other?.text || old?.text === other?.text) return mine;
  return old?.text === mine?.text ? other : null;
}

/** Before the first entry that is older, or as old and of a lower version. */
function placeOf(entry: Entry, entries: readonly Entry[]): number {
  const at = entries.findIndex((other) => {
    if (other.date !== entry.date) return !(other.date > entry.date);
    return other.version === '' || entry.version === '' || compareVersions(other.version, entry.version) < 0;
  });
  return at < 0 ? entries.length : at;
}

function readEntries(text: string): { preface: string; entries: readonly Entry[]; byKey: ReadonlyMap<string, Entry> } {
  const start = /^\*\s/m.exec(text)?.index ?? text.length;
  const seen = new Map<string, number>();
  const entries = text
    .slice(start)
    .split(/^(?=\*\s)/m)
    .filter((part) => part !== '')
    .map((part) => {
      const first = part.split('\n')[0]?.trim() ?? '';
      const version = /(?:\s-\s*|\s<[^>]*>\s+)\[?([\w.:+~^%{}?-]*\d[\w.:+~^%{}?-]*)\]?$/.exec(first)?.[1] ?? '';
      const name = version === '' ? first : version;
      const times = (seen.get(name) ?? 0) + 1;
      seen.set(name, times);
      const date = Date.parse(`${/^\*\s+\w+\s+(\w{3}\s+\d{1,2}\s+\d{4})/.exec(first)?.[1]} UTC`);
      return { key: `${times} ${name}`, text: part.trimEnd(), date, version };
    });
  return { preface: text.slice(0, start), entries, byKey: new Map(entries.map((entry) => [entry.key, entry])) };
}
