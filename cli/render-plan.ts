import type { PlanPreview, ReleasePlanRecord } from '../server/api/types.ts';
import { when } from './look-back.ts';
import { type Paint, paint, table } from './output.ts';
import { shortId } from './queue-tree.ts';

const colours: Readonly<Record<ReleasePlanRecord['state'], Paint>> = {
  ...{ planned: 'yellow', running: 'blue', published: 'green' },
  ...{ failed: 'red', reverted: 'yellow' },
};

/** Release plans as a list. */
export function renderPlans(plans: readonly ReleasePlanRecord[]): string {
  if (plans.length === 0) return 'There are no release plans.';
  const rows = plans.map(({ id, state, startTime, builds, deeds, summary }) => {
    const last = deeds.at(-1);
    const by = last === undefined ? '' : `${last.did} by ${last.by}`;
    return [id, when(startTime), paint(colours[state], state), repositoriesOf(builds), by, summary];
  });
  return table(['PLAN', 'MADE (UTC)', 'STATE', 'REPOSITORIES', 'LAST', 'SUMMARY'], rows);
}

/** One plan, with what it releases. */
export function renderPlan({ id, builds }: ReleasePlanRecord): string {
  const rows = builds.map(({ repository, project, change, patchset, build, packages }) => {
    const versions = [...new Set(packages.map(({ version }) => version))].join(' ');
    return [repository, project, versions, `${shortId(change)},${patchset}`, build ?? ''];
  });
  const next = `look at it: sluice release preview ${id}\nrelease it: sluice release commit ${id}`;
  return `plan ${id}\n${table(['REPOSITORY', 'PROJECT', 'VERSION', 'CHANGE', 'BUILD'], rows)}\n${next}`;
}

/** What a plan does to each repository. */
export function renderPreview({ repositories }: PlanPreview): string {
  return repositories.map(renderRepository).join('\n');
}

function renderRepository(of: PlanPreview['repositories'][number]): string {
  const { repository, gains, loses, problems, refused, unchecked, notes } = of;
  if (refused !== null) return `${repository}: refused: ${refused}`;
  const describe = ({ name, version, arch }: { name: string; version: string; arch: string }) =>
    `${name} ${version} (${arch})`;
  const lines = [
    ...gains.map((one) => `  + ${describe(one)}${one.replaces === null ? '' : `, replaces ${one.replaces}`}`),
    ...loses.map((one) => `  - ${describe(one)}${one.leaves === null ? '' : `, leaves ${one.leaves}`}`),
    ...notes.map((note) => `  ${note}`),
    ...problems.map(({ kind, subject, message }) => `  ${kind}: ${subject}: ${message}`),
    ...(unchecked === null ? [] : [`  not checked: ${unchecked}`]),
  ];
  return [`${repository}:`, ...(lines.length > 0 ? lines : ['  no difference'])].join('\n');
}

function repositoriesOf(builds: ReleasePlanRecord['builds']): string {
  return [...new Set(builds.map(({ repository }) => repository))].join(', ');
}
