import type { Stage } from '../model/job.ts';
import { EXECUTION, isSet } from './freeze/attributes.ts';
import type { JobAttributes } from './schema/job.ts';
import type { JobVariant } from './stanza.ts';

/**
 * The stages that reach what clients install from, with what they do there. A job of such a stage gets its rights from
 * where it is defined and from its pipeline, never from what a change says: it runs after review only, and whatever
 * decides how it runs is written in config-projects.
 */
const guardedStages: Readonly<Partial<Record<Stage, string>>> = {
  release: 'releases packages',
  mirror: 'writes to mirrors',
};

/** What a job of this stage does that only config-projects may ask for; undefined for a stage that anybody may use. */
export function guardedDeed(uses: Stage | undefined): string | undefined {
  return uses === undefined ? undefined : guardedStages[uses];
}

/** Saying once more what holds anyway changes nothing. */
const harmless: ReadonlySet<keyof JobAttributes> = new Set(['post-review']);

/** The first attribute by which a variant would change how a guarded job runs; a new definition always does. */
export function guardedChange({ attributes, attached }: JobVariant): keyof JobAttributes | 'parent' | undefined {
  const changed = EXECUTION.find((key) => !harmless.has(key) && isSet(attributes[key]));
  return changed ?? (attached ? undefined : 'parent');
}

/** Why a project that is no config-project may not define such a job. */
export function definesGuarded(job: string, stage: Stage): string {
  return (
    `job "${job}" ${guardedDeed(stage)} ("uses: ${stage}"): only config-projects may define such a job; ` +
    'attach one of theirs, such as release-deb or release-rpm, or define it in a config-project'
  );
}

/** Why a project that is no config-project may not change such a job. */
export function changesGuarded(job: string, stage: Stage, attribute: string): string {
  return (
    `job "${job}" ${guardedDeed(stage)}: only config-projects may change its "${attribute}" or inherit from it; ` +
    'remove this, or move it to a config-project'
  );
}

/** Why such a job may not stand on another project's. */
export function inheritsUntrusted(job: string, stage: Stage, parent: string): string {
  return `job "${job}" ${guardedDeed(stage)} and inherits from "${parent}", which is no config-project's: give it another parent`;
}
