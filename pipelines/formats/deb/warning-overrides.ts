import type { LintRemark } from '../../model/lint.ts';

/** A source's own list of the dpkg warnings that its maintainer accepts. */
export const overridesPath = 'debian/dpkg-overrides';

/** Ending of that list's name beside the packages. */
export const overridesSuffix = '.dpkg-overrides';

/** One line of the list: a tag, of one package where it names one, and with such a detail where it gives one. */
interface Override {
  readonly line: number;
  readonly text: string;
  readonly package: string | null;
  readonly tag: string;
  /** `*` stands for anything; empty: whatever it is. */
  readonly detail: string;
}

const form = /^(?:([a-z0-9][a-z0-9+.-]+):\s+)?([a-z0-9][a-z0-9-]*)(?:\s+(\S.*))?$/;

/**
 * Marks the remarks that a list accepts as overridden, as lintian does with its own. Adds a remark for each line that
 * is none (an error) or that fits nothing (an info).
 *
 * @param list the text of `debian/dpkg-overrides`: `[PACKAGE: ]TAG[ DETAIL]` a line, `#` before a comment
 */
export function overrideWarnings(remarks: readonly LintRemark[], list: string): readonly LintRemark[] {
  const { overrides, malformed } = parse(list);
  const used = new Set<Override>();
  const judged = remarks.map((remark) => {
    const found = overrides.filter((one) => fits(one, remark));
    for (const one of found) used.add(one);
    return found.length === 0 ? remark : { ...remark, severity: 'overridden' as const };
  });
  const unused = overrides.filter((one) => !used.has(one)).map((one) => about(one, 'info', 'unused-dpkg-override'));
  return [...judged, ...malformed, ...unused];
}

function parse(list: string): { readonly overrides: readonly Override[]; readonly malformed: readonly LintRemark[] } {
  const overrides: Override[] = [];
  const malformed: LintRemark[] = [];
  for (const [index, raw] of list.split(/\r?\n/).entries()) {
    const text = raw.trim();
    if (text === '' || text.startsWith('#')) continue;
    const place = { line: index + 1, text };
    const [, name = null, tag, detail = ''] = form.exec(text) ?? [];
    if (tag === undefined) malformed.push(about(place, 'error', 'malformed-dpkg-override'));
    else overrides.push({ ...place, package: name, tag, detail });
  }
  return { overrides, malformed };
}

function about(
  { line, text }: Pick<Override, 'line' | 'text'>,
  severity: LintRemark['severity'],
  tag: string,
): LintRemark {
  const wanted = severity === 'error' ? 'is not "[PACKAGE: ]TAG[ DETAIL]"' : 'fits no warning';
  const detail = `${overridesPath}:${line}: ${JSON.stringify(text)} ${wanted}`;
  return { package: 'source', severity, tag, detail, place: { file: overridesPath, line } };
}

function fits(override: Override, { package: name, tag, detail }: LintRemark): boolean {
  if (override.tag !== tag || (override.package !== null && override.package !== name)) return false;
  return override.detail === '' || matches(detail.split(/\s+/).join(' '), override.detail.split(/\s+/).join(' '));
}

/** Whether a text is a pattern in which `*` stands for anything; in linear time, whatever somebody writes. */
function matches(text: string, pattern: string): boolean {
  const parts = pattern.split('*');
  const [first = '', last = ''] = [parts[0], parts.at(-1)];
  if (parts.length === 1) return text === pattern;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at + last.length <= text.length;
}
