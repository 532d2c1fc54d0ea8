import type { LintRemark } from '../../model/lint.ts';
import type { Paragraph } from './control.ts';
import { parseRelations } from './relations.ts';

/** Ending of the file that a build has its tools' warnings in, one a line; there is none without warnings. */
export const warningsSuffix = '.dpkg-warnings';

const warning = /^(dpkg-(?:gencontrol|shlibdeps|gensymbols|source|deb|genchanges|genbuildinfo)): warning: (.+)$/;

/** Said of the build environment, not of the package. */
const environment = /File::FcntlLock|^using a gain-root-command|unsigned source package/;

/** The warnings of dpkg's tools in a build's output, each once, in the order of the first. */
export function dpkgWarnings(output: string): readonly string[] {
  const lines = output.split(/\r?\n/).filter((line) => {
    const text = warning.exec(line)?.[2];
    return text !== undefined && !environment.test(text);
  });
  return [...new Set(lines)];
}

/** What a warning speaks of, where it speaks of a substitution variable. */
interface Substitution {
  readonly package: string;
  readonly variable: string;
  readonly unused: boolean;
}

function substitutionOf(said: string): Substitution | null {
  const name = /\bpackage ([a-z0-9][a-z0-9+.-]+)\b/.exec(said)?.[1];
  const variable = /substitution variable \$\{([^}]+)\}/.exec(said)?.[1];
  return name === undefined || variable === undefined
    ? null
    : { package: name, variable, unused: /\bunused\b/.test(said) };
}

/** Names of the packages whose substitution variables are warned of. */
export function warnedPackages(warnings: readonly string[]): readonly string[] {
  return [...new Set(warnings.flatMap((line) => substitutionOf(line)?.package ?? []))];
}

/** What a build knows of a package of which a warning speaks. */
export interface PackageFacts {
  /** Its paragraph of `debian/control`. */
  readonly source: Paragraph;
  /** The fields of the package that was built. */
  readonly built: Paragraph;
  /** The dependencies that were found for its programs and libraries, as a relation field has them. */
  readonly found: string;
  /** Names of the libraries that its files ask for. */
  readonly needed: readonly string[];
}

/** Adds to each warning what the package came to by it, where that is wrong. */
export function explainWarnings(
  warnings: readonly string[],
  facts: (name: string) => PackageFacts | undefined,
): readonly string[] {
  return warnings.map((line) => {
    const said = substitutionOf(line);
    const known = said === null ? undefined : facts(said.package);
    return said === null || known === undefined ? line : `${line}${consequence(said, known)}`;
  });
}

const libraries = /^shlibs:(?:Pre-)?Depends$/i;

function consequence({ variable, unused }: Substitution, { source, built, found, needed }: PackageFacts): string {
  const left = unused ? [] : leftovers(source, variable).map(({ text }) => text);
  if (left.length > 0) return `: leaves ${left.map((text) => JSON.stringify(text)).join(', ')}`;
  if (!libraries.test(variable)) return '';
  const has = new Set(parseRelations(`${built['Pre-Depends'] ?? ''},${built.Depends ?? ''}`).map(({ name }) => name));
  const names = parseRelations(found).map(({ name }) => name);
  const lacks = names.length > 0 ? names.filter((name) => !has.has(name)) : needed;
  // Without dependencies that were found, those that somebody wrote by hand may be the right ones.
  if (lacks.length === 0 || (names.length === 0 && has.size > 0)) return '';
  return `: the package does not depend on ${[...new Set(lacks)].join(', ')}`;
}

interface Leftover {
  readonly field: string;
  /** What is left of the relation without the variable. */
  readonly text: string;
}

/** The relations of a package's paragraph that have a variable and something beside it. */
function leftovers(source: Paragraph, variable: string): readonly Leftover[] {
  const name = `\${${variable}}`;
  return Object.entries(source).flatMap(([field, value]) =>
    field === 'Description'
      ? []
      : value
          .split(/[,|\n]/)
          .filter((item) => item.includes(name))
          .map((item) => ({ field, text: item.replaceAll(name, '').trim() }))
          .filter(({ text }) => text !== ''),
  );
}

/** Helpers set these only where there is something to say: nothing is as good as an empty value. */
const oftenEmpty = /^(?:shlibs|misc|perl|python3?|ruby|gir|nodejs|java|kde|qt\w*|sphinxdoc|cargo|built-using|dlopen):/i;

/**
 * Reads such warnings as remarks. A substitution that nobody defines, one that leaves half of a name, and libraries
 * that the package does not depend on are errors: the package is not what its source says.
 */
export function parseDpkgWarnings(text: string): readonly LintRemark[] {
  return dpkgWarnings(text).map((line) => {
    const [, tool = '', detail = ''] = warning.exec(line) ?? [];
    const said = substitutionOf(detail);
    if (said === null) {
      const name = /\bpackage ([a-z0-9][a-z0-9+.-]+)\b/.exec(detail)?.[1] ?? 'source';
      return { package: name, severity: 'warning', tag: `${tool}-warning`, detail };
    }
    const wrong = /: (?:leaves ".*|the package does not depend on .*)$/.test(detail);
    const undefined_ = !said.unused && !oftenEmpty.test(said.variable);
    const tag = said.unused ? 'unused-substitution-variable' : 'undefined-substitution-variable';
    const severity = wrong || undefined_ ? 'error' : 'warning';
    return { package: said.package, severity, tag, detail, place: { file: 'debian/control' } };
  });
}

/** The packages of a released version: the paragraphs of its `debian/control`, and the fields of its binary packages. */
export interface ReleasedControl {
  readonly source: readonly Paragraph[];
  readonly binaries: readonly Paragraph[];
}

/**
 * Those of the remarks that the released version has as well. Warnings are not kept with released packages: what was
 * wrong is seen in the packages themselves, beside what their source says.
 */
export function knownWarnings(remarks: readonly LintRemark[], released: ReleasedControl): readonly LintRemark[] {
  return remarks.filter((remark) => {
    const said = substitutionOf(remark.detail);
    const source = released.source.find((each) => each.Package === remark.package);
    const built = released.binaries.find((each) => each.Package === remark.package);
    if (said === null || source === undefined || built === undefined) return false;
    const used = Object.values(source).some((value) => value.includes(`\${${said.variable}}`));
    if (said.unused) return !used && built.Architecture !== 'all';
    const left = leftovers(source, said.variable).filter(({ field, text }) =>
      items(built[field]).some((item) => sameRelation(text, item)),
    );
    return used && leavesIn(remark.detail).every((text) => left.some((each) => JSON.stringify(each.text) === text));
  });
}

/** What an explained warning says that its variable leaves, in quotes. */
function leavesIn(detail: string): readonly string[] {
  const list = /: leaves (".*")$/.exec(detail)?.[1] ?? '';
  return list.match(/"(?:[^"\\]|\\.)*"/g) ?? [];
}

function items(field = ''): readonly string[] {
  return field.split(/[,|\n]/).map((item) => item.trim());
}

/** Whether a relation as built is one as written, whatever its other variables came to. */
function sameRelation(written: string, built: string): boolean {
  const literal = (text: string) => text.replace(/\s+/g, '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const pattern = written
    .split(/\$\{[^}]*\}/)
    .map(literal)
    .join('.*');
  return new RegExp(`^${pattern}$`).test(built.replace(/\s+/g, ''));
}
