import { z } from 'zod';
import { builtInPlatforms } from '../images/platforms.ts';
import type { Fault } from './fault.ts';

const keptVersions = z.number().int().min(1).max(1000);

/** For all released repositories without a number of their own. */
export const keepSchema = keptVersions
  .optional()
  .describe('How many versions of each package a released repository names, the newest. Default: all.');

const debugPlace = z.enum(['together', 'separate']).optional();

/** For all released repositories that do not say. */
export const debugSchema = debugPlace.describe(
  '`separate`: debug packages of released repositories have lists of their own. Default: `together` with all others.',
);

const branchPattern = z
  .string()
  .regex(/^[\w.+*-]+(?:\/[\w.+*-]+)*$/, 'must be a branch, or a pattern: `*` within a part, `**` for anything')
  .refine((pattern) => !pattern.startsWith('refs/'), 'must be a branch by its short name, without refs/heads/');

/** At least one, and none twice. */
function namesOf(item: z.ZodType<string>, isSame = (one: string, other: string) => one === other) {
  return z
    .array(item)
    .min(1)
    .superRefine((all, context) => {
      for (const [index, one] of all.entries()) {
        if (all.findIndex((other) => isSame(one, other)) < index)
          context.addIssue({ code: 'custom', path: [index], message: 'is given twice' });
      }
    });
}

/** What signs one released repository. */
export const repositoryKeys = namesOf(z.string(), isSameKey)
  .optional()
  .describe(
    'Keys of `release.keys.sign` that sign it, as they are called there (text, else fingerprint): the first its packages, too. Default: all.',
  );

/** A released repository besides the formats' own. */
const line = z.strictObject({
  platforms: namesOf(z.string().min(1)).describe(
    'Platforms of one format whose packages go into the repository of this name, and whose jobs see it.',
  ),
  branches: namesOf(branchPattern)
    .optional()
    .describe('Branches that it is for, `*` and `**` as in names of projects. Default: all that no other line names.'),
  codename: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]*$/, 'must be of a-z 0-9 . _ -, and begin with a letter or digit')
    .optional()
    .describe('Distribution name of an APT repository. Default: that of its first platform.'),
  with: namesOf(z.string())
    .optional()
    .describe('Other released repositories of the format that its jobs see, too: lines, `deb` or `rpm`.'),
  versions: z
    .enum(['security', 'hotfix'])
    .optional()
    .describe('`security`: builds have a version BASE.0.N. `hotfix`: BASE.N.0. Default: any.'),
  keep: keptVersions.optional().describe('As `release.keep`, for this repository. Default: what that says.'),
  debug: debugPlace.describe('As `release.debug`, for this repository. Default: what that says.'),
  keys: repositoryKeys,
  publish: z
    .enum(['merged', 'planned'])
    .optional()
    .describe(
      '`planned`: what is merged waits for `sluice release commit`. Default: `merged`, it is released at once.',
    ),
});

/** Whether two names mean one key: fingerprints are written with spaces, or in small letters, too. */
export function isSameKey(one: string, other: string): boolean {
  const plain = (name: string) => {
    const print = name.replaceAll(' ', '').toUpperCase();
    return /^[0-9A-F]{40,64}$/.test(print) ? print : name;
  };
  return plain(one) === plain(other);
}

const lineName = z
  .string()
  .regex(/^[a-z][a-z0-9._-]*$/, 'must begin with a small letter, and have no other characters than a-z 0-9 . _ -')
  .refine((name) => !['deb', 'rpm', 'generations'].includes(name), 'is taken: give the line another name');

export const linesSchema = z.record(lineName, line);

/** A line as it is written, as far as it can be read. */
interface WrittenLine {
  readonly name: string;
  readonly platforms: readonly string[];
  readonly branches: readonly string[] | undefined;
  readonly others: readonly string[];
  readonly codename: unknown;
}

/**
 * What is wrong with lines that no single one of them shows, all of it.
 *
 * @param lines as they are written: what is wrong with one by itself keeps none of the others from being looked at
 * @param own the platforms that are written there
 */
export function lineFaults(lines: unknown, own: unknown): readonly Fault[] {
  const formats = new Map<string, unknown>(builtInPlatforms.map(({ name, format }) => [name, format]));
  const primaries = new Map<string, unknown>(builtInPlatforms.map(({ name, primary }) => [name, primary]));
  for (const [name, platform] of entriesOf(own)) {
    formats.set(name, entryOf(platform, 'format'));
    primaries.set(name, entryOf(platform, 'primary'));
  }
  const all = entriesOf(lines).map(([name, line]) => readLine(name, line));
  return all.flatMap((line, index) => [
    ...platformFaults(line, formats),
    ...loners(line, primaries),
    ...strangers(line, all, formats),
    ...twins(line, all.slice(0, index)),
  ]);
}

function platformFaults({ name, platforms, codename }: WrittenLine, formats: ReadonlyMap<string, unknown>) {
  const faults: Fault[] = platforms.flatMap((platform, at) =>
    formats.has(platform) ? [] : [{ path: [name, 'platforms', at], message: `no platform is called "${platform}"` }],
  );
  const found = new Set(platforms.flatMap((platform) => formats.get(platform) ?? []));
  if (found.size > 1) faults.push({ path: [name, 'platforms'], message: 'must be of one format: DEB or RPM' });
  if (codename !== undefined && found.size === 1 && !found.has('deb')) {
    faults.push({ path: [name, 'codename'], message: 'is for APT repositories: leave it out' });
  }
  return faults;
}

/** One repository has all architectures, for packages for every one of them are there once. */
function loners({ name, platforms }: WrittenLine, primaries: ReadonlyMap<string, unknown>): Fault[] {
  return platforms.flatMap((platform, at) => {
    const primary = primaries.get(platform);
    if (typeof primary !== 'string' || platforms.includes(primary)) return [];
    const message = `${platform} is released where ${primary} is, whose packages for every architecture it takes: name ${primary}`;
    return [{ path: [name, 'platforms', at], message }];
  });
}

/** What a line goes with and cannot. */
function strangers(line: WrittenLine, all: readonly WrittenLine[], formats: ReadonlyMap<string, unknown>): Fault[] {
  const formatOf = ({ platforms: [first = ''] }: WrittenLine) => formats.get(first);
  const format = formatOf(line);
  if (format === undefined) return [];
  // Of one whose platform is wrong nobody knows the format: it is said there.
  const fitting = all.filter((one) => one !== line && [format, undefined].includes(formatOf(one) as string));
  const known = [String(format), ...fitting.map(({ name }) => name)];
  return line.others.flatMap((other, at) => {
    if (known.includes(other)) return [];
    const message = `no other repository of the format is called "${other}": ${known.join(', ')}`;
    return [{ path: [line.name, 'with', at], message }];
  });
}

/** A line before this one with a platform and a branch (or none) the same would take what this one is for. */
function twins({ name, platforms, branches }: WrittenLine, before: readonly WrittenLine[]): Fault[] {
  const twin = before.find((earlier) => {
    if (!earlier.platforms.some((platform) => platforms.includes(platform))) return false;
    if (branches === undefined || earlier.branches === undefined) return branches === earlier.branches;
    return branches.some((branch) => earlier.branches?.includes(branch));
  });
  if (twin === undefined) return [];
  const message = `has a platform and branch that are of the line ${twin.name} already: a package goes into one line`;
  return [{ path: [name, 'platforms'], message }];
}

function readLine(name: string, line: unknown): WrittenLine {
  const texts = (key: string) => {
    const value = entryOf(line, key);
    return Array.isArray(value) ? value.map(String) : undefined;
  };
  const [platforms = [], branches, others = []] = [texts('platforms'), texts('branches'), texts('with')];
  return { name, platforms, branches, others, codename: entryOf(line, 'codename') };
}

/**
 * Keys that released repositories name and `release.keys.sign` does not.
 *
 * @param release as it is written
 * @returns faults whose paths begin at `release`
 */
export function keyFaults(release: unknown): readonly Fault[] {
  const signing = entryOf(entryOf(release, 'keys'), 'sign');
  const known = (Array.isArray(signing) ? signing : []).map(writtenName);
  const places: readonly (readonly [path: readonly string[], keys: unknown])[] = [
    ...['deb', 'rpm'].map((name) => [[name, 'keys'], entryOf(entryOf(release, name), 'keys')] as const),
    ...entriesOf(entryOf(release, 'lines')).map(
      ([name, of]) => [['lines', name, 'keys'], entryOf(of, 'keys')] as const,
    ),
  ];
  return places.flatMap(([path, keys]) => {
    const names: readonly unknown[] = Array.isArray(keys) ? keys : [];
    return names.flatMap((name, at) => {
      if (typeof name !== 'string' || known.some((one) => isSameKey(one, name))) return [];
      const there = known.length === 0 ? 'it names none' : `there are: ${known.join(', ')}`;
      return [{ path: [...path, at], message: `no key of release.keys.sign is called "${name}": ${there}` }];
    });
  });
}

/** A key is called by its text, or by its fingerprint. */
function writtenName(key: unknown): string {
  return String(typeof key === 'string' ? key : (entryOf(key, 'fingerprint') ?? entryOf(key, 'key')));
}

function entriesOf(value: unknown): readonly [string, unknown][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

function entryOf(value: unknown, key: string): unknown {
  return entriesOf(value).find(([name]) => name === key)?.[1];
}
