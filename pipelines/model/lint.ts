import type { PackageFormat } from './artifact.ts';

/** One remark of a format's checker. */
export interface LintRemark {
  readonly package: string;
  readonly severity: 'error' | 'warning' | 'info' | 'overridden';
  readonly tag: string;
  readonly detail: string;
  /** The file of the sources that it is about, where the checker says so: a spec file's name, or a path. */
  readonly place?: { readonly file: string; readonly line?: number };
}

/** What `lint.json` holds. */
export interface LintReport {
  readonly format: PackageFormat;
  readonly platform: string;
  readonly remarks: readonly (LintRemark & {
    /** The released version of the same package does not have it. */
    readonly new: boolean;
  })[];
  /** New errors: any fails the package. */
  readonly failures: number;
}

/**
 * Compares what was said of a build with what was said of the released version of the same packages. Numbers and
 * versions in a remark's detail do not make it another remark.
 */
export function compareRemarks(
  what: Pick<LintReport, 'format' | 'platform'>,
  built: readonly LintRemark[],
  released: readonly LintRemark[],
): LintReport {
  const known = new Set(released.map(keyOf));
  const remarks = built.map((remark) => ({ ...remark, new: !known.has(keyOf(remark)) }));
  const failures = remarks.filter((remark) => remark.new && remark.severity === 'error').length;
  return { ...what, remarks, failures };
}

function keyOf({ package: name, tag, detail }: LintRemark): string {
  return `${name} ${tag} ${detail.replace(/[0-9][\w.+~^:-]*/g, '#')}`;
}

/** Severity as the checkers abbreviate it. */
export function severityOf(letter: string): LintRemark['severity'] {
  const known = { E: 'error', W: 'warning', O: 'overridden' } as const;
  return known[letter as keyof typeof known] ?? 'info';
}
