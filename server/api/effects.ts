import { setTimeout as sleep } from 'node:timers/promises';
import type { Change } from '../../pipelines/model/change.ts';
import { baseSentence, curesOf, obstacleSentence } from '../../pipelines/report/change-story.ts';
import type { ServerDeps } from '../deps.ts';

/** Why what was done last to a change has no effect now, a sentence each; none when it has, or when nobody can say. */
export async function withoutEffect({ changes, obstaclesOf }: ServerDeps, name: string): Promise<readonly string[]> {
  const change: Change = await changes.read(name);
  const found = ((await obstaclesOf?.(change.id)) ?? []).filter(({ latest }) => latest);
  if (found.length === 0) return [];
  const { bases } = await changes.history(change.id);
  const restore = change.status === 'abandoned' ? [`\`sluice restore ${change.id}\` opens it again.`] : [];
  const ready = `\`git push origin HEAD:refs/for/${change.branch}%ready\` says that it is ready.`;
  return [
    ...found.map(obstacleSentence),
    ...curesOf({ obstacles: found }),
    ...restore,
    ...(change.wip && change.status === 'open' ? [ready] : []),
    ...bases.filter((base) => base.patchset < base.current).map(baseSentence),
  ];
}

/** Changes of one push that are looked at, and milliseconds that who pushes waits for what is found. */
const most = 5;
const patience = 700;

/** Of the changes of a push, those of which nothing comes now, each with its name: as far as it is found out at once. */
export async function effectsOfPush(deps: ServerDeps, changes: readonly string[]): Promise<readonly string[]> {
  const found = Promise.all(
    changes.slice(0, most).map(async (name) => {
      const reasons = await withoutEffect(deps, name).catch(() => []);
      return reasons.length === 0 ? [] : [`${name}: this has no effect now.`, ...reasons.map((line) => `  ${line}`)];
    }),
  );
  const late = sleep(patience, [], { ref: false });
  return (await Promise.race([found, late])).flat();
}
