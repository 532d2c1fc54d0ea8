import { type CommitLine, plain } from '../commit.ts';

/** What a spec file's preamble says, as far as it can be told without rpm: simple macros are expanded. */
export interface SpecHead {
  readonly name: string;
  readonly epoch: string;
  readonly version: string;
  readonly release: string;
}

/** Reads the preamble; null for a file that is no RPM spec. The platform's tag (`%{?dist}`) is left out. */
export function parseSpecHead(text: string): SpecHead | null {
  const macros = new Map<string, string>([['dist', '']]);
  const tags = new Map<string, string>();
  for (const line of preambleOf(text).lines) {
    const [, macro, body] = /^\s*%(?:global|define)\s+(\w+)\s+(.*)$/.exec(line) ?? [];
    if (macro !== undefined) macros.set(macro, expand(body ?? '', macros).trim());
    const [, tag, value] = /^(Name|Epoch|Version|Release)\s*:\s*(.*)$/i.exec(line) ?? [];
    if (tag === undefined || tags.has(tag.toLowerCase())) continue;
    const expanded = expand(value ?? '', macros).trim();
    tags.set(tag.toLowerCase(), expanded);
    macros.set(tag.toLowerCase(), expanded);
  }
  const [name, version] = [tags.get('name'), tags.get('version')];
  if (name === undefined || version === undefined) return null;
  return { name, version, epoch: tags.get('epoch') ?? '0', release: tags.get('release') ?? '0' };
}

/** The part of a version that the count of commits starts anew with. */
export function countedPart({ epoch, version }: SpecHead): string {
  return `${epoch}:${version}`;
}

function expand(text: string, macros: ReadonlyMap<string, string>): string {
  return text.replace(/%(?:\{(\??)(\w+)\}|(\w+))/g, (whole, _optional, braced?: string, bare?: string) => {
    return macros.get(braced ?? bare ?? '') ?? (whole.startsWith('%{?') ? '' : whole);
  });
}

/** The lines before the first section, where the tags of the main package stand. */
function preambleOf(text: string): { readonly lines: readonly string[]; readonly rest: readonly string[] } {
  const lines = text.split('\n');
  const section = /^%(?:package|description|prep|build|install|check|files|changelog|generate_buildrequires)\b/;
  const end = lines.findIndex((line) => section.test(line));
  return end < 0 ? { lines, rest: [] } : { lines: lines.slice(0, end), rest: lines.slice(end) };
}

export interface SpecChanges {
  /** Replaces the value of `Release:`; null where that stays. */
  readonly release: string | null;
  /** Put in front of the entries that are there. */
  readonly changelog: string;
}

/** A spec with another release and a new newest changelog entry. */
export function rewriteSpec(text: string, { release, changelog }: SpecChanges): string {
  const { lines, rest } = preambleOf(text);
  const head = lines.map((line) =>
    line.replace(/^(Release\s*:\s*)(.*)$/i, (_, tag: string, old: string) => `${tag}${release ?? old}`),
  );
  const at = rest.findIndex((line) => /^%changelog\b/.test(line));
  const body = at < 0 ? [...rest, '', '%changelog'] : rest.slice(0, at + 1);
  const old =
    at < 0 ? [] : rest.slice(at + 1).filter((line) => !/^%(?:autochangelog\b|\{\??autochangelog\})/.test(line));
  return [...head, ...body, changelog, ...old].join('\n');
}

export interface SpecEntry {
  readonly commits: readonly CommitLine[];
  readonly author: string;
  readonly email: string;
  /** Seconds since the epoch. */
  readonly time: number;
  readonly version: string;
}

/** Writes a changelog entry, dated no earlier than the newest one that `spec` has: rpm wants them in order. */
export function changelogEntry(spec: string, entry: SpecEntry): string {
  const newest = /^%changelog\b[^\n]*\n\s*\*\s+\w{3}\s+(\w{3}\s+\d{1,2}\s+\d{4})/m.exec(spec)?.[1];
  const known = newest === undefined ? Number.NaN : Date.parse(`${newest} UTC`);
  const time = Math.max(entry.time * 1000, Number.isNaN(known) ? 0 : known);
  const [day, date, month, year] = new Date(time).toUTCString().replace(',', '').split(' ');
  const head = `* ${day} ${month} ${date} ${year} ${plain(entry.author)} <${plain(entry.email)}> - ${entry.version}`;
  const lines = entry.commits.map(
    ({ id, subject, author }) => `- ${id.slice(0, 12)} ${plain(subject)} [${plain(author)}]`,
  );
  return `${[head, ...lines].join('\n').replaceAll('%', '%%')}\n`;
}

/** A file that a spec names: `tag` as `Source0` or `Patch1`, `name` its base name. */
export interface SpecFile {
  readonly tag: string;
  readonly name: string;
}

/** What only an expanded spec tells. */
export interface ExpandedSpec {
  readonly files: readonly SpecFile[];
  /** That its sources unpack into. */
  readonly directory: string | null;
  /** Whether files are kept out of the source package. */
  readonly withheld: boolean;
}

/** Reads the files that a spec names, by tags or in a `%sourcelist` or `%patchlist`, and how its sources unpack. */
export function readExpandedSpec(text: string): ExpandedSpec {
  const files: SpecFile[] = [];
  let listed: string | null = null;
  for (const line of text.split('\n')) {
    const section = /^%(\w+)/.exec(line)?.[1];
    if (section !== undefined) listed = { sourcelist: 'Source', patchlist: 'Patch' }[section] ?? null;
    const [, tag, value] = /^((?:Source|Patch)\d*)\s*:\s*(\S+)/i.exec(line) ?? [];
    const entry = /^\s*([^\s#%]\S*)\s*$/.exec(line)?.[1];
    const [called, path] = listed === null ? [tag, value] : [listed, entry];
    const name = path?.split('/').pop();
    if (called !== null && called !== undefined && name) files.push({ tag: called, name });
  }
  return { files, directory: setupDirectory(text), withheld: /^No(?:Source|Patch)\s*:/im.test(text) };
}

/**
 * The top directory that the sources must have, from `%setup -n DIR` or the commands that it expands to. Empty when
 * they unpack into a directory made for them; null for a spec that unpacks nothing by itself.
 */
function setupDirectory(text: string): string | null {
  const made = /^rm -rf '([^'\n]+)'$([\s\S]*)/m.exec(text);
  if (made?.[1] !== undefined) {
    const [, directory, after = ''] = made;
    if (!/^\/?(?:bin\/)?mkdir -p '/m.test(after)) return topOf(directory);
    return topOf(/^\/bin\/chmod -Rf .*\n+cd ([\w.+~^-]+)$/m.exec(after)?.[1] ?? '');
  }
  const setup = /^%(?:auto)?setup\b(.*)$/m.exec(text)?.[1];
  const head = setup === undefined ? null : parseSpecHead(text);
  if (setup === undefined || head === null) return null;
  if (/(?:^|\s)-\w*c/.test(setup)) return '';
  return topOf(/-n\s*(\S+)/.exec(setup)?.[1] ?? `${head.name}-${head.version}`);
}

function topOf(path: string): string {
  return path.split('/')[0] ?? '';
}
