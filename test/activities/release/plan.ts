import { createPlanActivities } from '../../../activities/release/plan-activities.ts';
import { createPlanBook } from '../../../activities/release/plan-book.ts';
import type { ReleasePlanRecord, ReleaseRecord } from '../../../activities/report/types.ts';
import type { SourceState } from '../../../pipelines/model/artifact.ts';
import type { ReleaseRules } from '../../../pipelines/model/release-line.ts';
import type { PlanWish } from '../../../pipelines/policy/release-plan.ts';
import type { ReleasePlanInput, ReleasePlanOutcome } from '../../../workflows/contract.ts';
import { indexesOf, type World } from './world.ts';

export const planned: ReleaseRules = {
  codename: 'bookworm',
  lines: [
    { name: 'deb-stable', platforms: ['debian-12'], codename: 'bookworm', publish: 'planned' },
    { name: 'rpm-stable', platforms: ['rpm-debian-12'], codename: '', publish: 'planned' },
  ],
};

export const all: PlanWish = { lines: [], platforms: [], projects: [], builds: [], changes: [] };

/** Release plans over what a world has built, with everything that is recorded in memory. */
export function planWorld(world: World, rules: ReleaseRules = planned) {
  const releases = new Map<string, ReleaseRecord>();
  const plans = new Map<string, ReleasePlanRecord>();
  const book = createPlanBook({
    ...{ tenant: 'main', rules },
    find: async (id) => plans.get(id),
    add: async (record) => !plans.has(record.id) && plans.set(record.id, record) !== undefined,
    save: async (record) => plans.has(record.id) && plans.set(record.id, record) !== undefined,
    remove: async (id, states) => states.includes(plans.get(id)?.state ?? 'running') && plans.delete(id),
    naming: async (ids) =>
      [...plans.values()].filter(({ builds }) => builds.some(({ release }) => ids.includes(release))),
    candidates: async () => [...releases.values()].filter(({ state }) => ['waiting', 'reverted'].includes(state)),
    releases: async (ids) => ids.flatMap((id) => releases.get(id) ?? []),
    releasesOf: async (project) => [...releases.values()].filter((one) => one.project === project),
    releasesOfChange: async (change) => [...releases.values()].filter((one) => one.change === change),
    recordRelease: async (record) => void releases.set(record.id, record),
  });
  return { ...world, releases, plans, book, steps: createPlanActivities(world.deps, book) };
}

export type PlanWorld = ReturnType<typeof planWorld>;

/** What the release of a build leaves for plans, step by step as the workflow takes them. */
export async function leave(
  world: PlanWorld,
  manifest: string,
  merged: SourceState,
  change = 'git:1',
): Promise<string> {
  const { activities, signer, releases } = world;
  const { files, ...of } = await activities.releasedFiles({ manifest });
  const signed = await signer.signPackages({ format: of.format, files, manifest, commit: merged.commit });
  const { project, branch, commit, tree } = merged;
  const about = { tenant: 'main', change, patchset: 1, project, branch, merged, manifests: [manifest], buildSet: 'bs' };
  const envelopes = await signer.signStatements({
    digests: await activities.attest({ release: 'r', manifest, signed, about }),
  });
  const packages = signed.map(({ name, after }) => {
    const file = files.find((one) => one.name === name);
    return {
      format: of.format,
      name: file?.package ?? '',
      version: file?.version ?? '',
      arch: file?.arch ?? '',
      ...after,
    };
  });
  const id = `release/main/${of.platform}/${commit}`;
  const prepared = { ...of, manifest, merged, signed, envelopes };
  releases.set(id, {
    ...{ id, tenant: 'main', project, branch, change, patchset: 1, commit, tree, origin: 'promoted' },
    ...{ state: 'waiting', summary: '', packages, prepared, startTime: Date.now(), endTime: Date.now() },
    repositories: [{ format: of.format, name: of.repository, url: '' }],
  });
  return id;
}

/** Commits a plan or takes it back, step by step as the workflow does. */
export async function carryOut(
  world: PlanWorld,
  plan: string,
  action: ReleasePlanInput['action'] = 'commit',
): Promise<ReleasePlanOutcome> {
  const { steps, signer } = world;
  const input = { tenant: 'main', plan, action, by: 'ada' };
  const begun = await steps.beginPlan({ ...input, time: Date.now() });
  if ('refused' in begun) return { ok: false, summary: begun.refused };
  const states = [];
  const end = async (outcome: ReleasePlanOutcome, shown: readonly string[]) => {
    await steps.endPlan({ ...input, ...outcome, shown, time: Date.now() });
    return outcome;
  };
  for (const state of begun.states) {
    const staged = await steps.stagePlanned({ plan, state });
    if (staged.outcome === 'refused') return end({ ok: false, summary: staged.reason }, []);
    if (staged.outcome === 'unchanged') continue;
    const { repository, format, merged } = state;
    const { name, before } = staged;
    const signatures = await signer.signIndex({ ...indexesOf(staged), repository });
    const done = await steps.finishReleased({ format, repository, name, before, signatures, merged });
    if (!done.ready) return end({ ok: false, summary: done.refused ?? 'another release came between' }, []);
    states.push({ repository, name, before });
  }
  return end({ ok: true, summary: begun.summary }, await steps.showReleased({ states }));
}
