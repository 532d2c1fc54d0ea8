import type { GerritChange } from './schema.ts';

/** States in which a requirement is in nobody's way. */
const met = new Set(['SATISFIED', 'OVERRIDDEN', 'NOT_APPLICABLE', 'FORCED']);

/**
 * Why Gerrit would not merge a change: each a sentence without its end.
 *
 * @param own labels that Sluice gives: a requirement that is about them alone does not count
 */
export function obstaclesOf(info: GerritChange, own: readonly string[]): string[] {
  const { _number: number, status, work_in_progress: wip, submit_requirements: requirements = [] } = info;
  if (status !== 'NEW') return [`change ${number} is ${status.toLowerCase()}`];
  const unmet = requirements
    .filter((requirement) => !met.has(requirement.status) && !isOwn(requirement, own))
    .map(({ name, status: how }) =>
      how === 'ERROR' ? `the requirement ${name} cannot be evaluated` : `the requirement ${name} is not met`,
    );
  return [...(wip ? [`change ${number} is work in progress`] : []), ...unmet];
}

type Requirement = NonNullable<GerritChange['submit_requirements']>[number];

function isOwn({ name, submittability_expression_result: result }: Requirement, own: readonly string[]): boolean {
  const expression = result?.expression ?? '';
  const atom = /-?label:"?([A-Za-z0-9-]+)[^\s()]*/g;
  const labels = [...expression.matchAll(atom)].map(([, label = '']) => label);
  const rest = expression.replace(atom, '').replace(/\b(AND|OR|NOT)\b|[\s()]/g, '');
  if (labels.length === 0) return own.includes(name);
  return rest === '' && labels.every((label) => own.includes(label));
}
