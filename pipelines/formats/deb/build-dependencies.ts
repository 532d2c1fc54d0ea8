import { readSourceControl } from './control.ts';
import { matches, parseRelations } from './relations.ts';

/** What a relation that must not be there begins with, as `apt-get satisfy` takes it. */
const conflict = 'Conflicts: ';

/** What a source's `debian/control` wants installed for its build, one relation each, and what it must not have. */
export function buildDependencies(control: string): readonly string[] {
  const source = readSourceControl(control)[0] ?? {};
  const list = (field: string) =>
    ['', '-Arch', '-Indep']
      .flatMap((kind) => (source[`${field}${kind}`] ?? '').split(','))
      .map((relation) => relation.replace(/\s+/g, ' ').trim())
      .filter((relation) => relation !== '');
  return [...list('Build-Depends'), ...list('Build-Conflicts').map((relation) => conflict + relation)];
}

/** A relation as `debian/control` has it. */
export function asWritten(relation: string): string {
  return relation.startsWith(conflict) ? `Build-${relation}` : relation;
}

/** Versions of what has a name: packages with it, and packages that provide it; an empty one says nothing of versions. */
export type Offers = ReadonlyMap<string, readonly string[]>;

/** Reads what `apt-cache showpkg` says of some names. */
export function readOffers(output: string): Offers {
  const offers = new Map<string, string[]>();
  let found: string[] = [];
  let section = '';
  for (const line of output.split('\n')) {
    const [, title, rest = ''] = /^(Package|Versions|Reverse Provides|[A-Z][A-Za-z ]+):\s*(.*)$/.exec(line) ?? [];
    if (title === 'Package') {
      found = offers.get(rest) ?? [];
      offers.set(rest, found);
    }
    if (title !== undefined) section = title;
    else if (section === 'Versions') found.push(...(/^(\S+) \(/.exec(line)?.slice(1, 2) ?? []));
    else if (section === 'Reverse Provides' && line !== '') found.push(/\(= ([^)\s]+)\)/.exec(line)?.[1] ?? '');
  }
  return offers;
}

/** Names that a relation speaks of. */
export function namesIn(relation: string): readonly string[] {
  return parseRelations(relation.replace(/^Conflicts: /, '')).map(({ name }) => name);
}

/** Versions that one reason names. */
const listed = 6;

/**
 * Why a relation cannot be met, in a few words.
 *
 * @param said what the package manager said of this relation alone.
 */
export function whyUnmet(relation: string, said: string, offers: Offers): string {
  if (/Problem parsing dependency/.test(said)) return 'this is no relation';
  if (relation.startsWith(conflict)) return 'the build environment itself has it';
  const wanted = parseRelations(relation);
  const versions = wanted.flatMap(({ name }) => offers.get(name) ?? []);
  if (versions.length === 0) return 'there is no such package';
  const fits = wanted.some((one) =>
    (offers.get(one.name) ?? []).some((version) => matches(one, { name: one.name, operator: '=', version })),
  );
  if (fits) return deeper(said) ?? 'what it needs itself cannot be met';
  const known = [...new Set(versions.filter((version) => version !== ''))];
  if (known.length === 0) return 'what provides it has no version';
  return `there is ${known.slice(0, listed).join(', ')}${known.length > listed ? ', …' : ''}`;
}

/** What a package that would do needs in its turn: as apt up to 3.0 words it, or as newer ones count their reasons. */
function deeper(said: string): string | undefined {
  const lines = said.split('\n').map((line) => line.trim());
  const old = lines.find((line) => /^(?!satisfy:)\S+ : (?:Pre-)?Depends: /.test(line));
  if (old !== undefined) return old.replace(' : ', ': ');
  const reasons = lines.filter((line) => /^\d+\. (?!satisfy:)\S+ (?:(?:Pre-)?Depends|Conflicts|Breaks) /.test(line));
  return reasons.at(-1)?.replace(/^\d+\. /, '');
}
