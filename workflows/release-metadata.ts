import { CancellationScope } from '@temporalio/workflow';
import { control } from './activities.ts';
import type { ReleaseMetadataInput, ReleasePlanOutcome } from './contract.ts';
import { releaseMetadataId } from './ids.ts';
import { requireId, requireInput } from './input.ts';
import { type Shown, showAll } from './release-plan.ts';

/** Gives a released repository other advisories, groups or modules: its next state is made, signed and shown. */
export async function releaseMetadata(input: ReleaseMetadataInput): Promise<ReleasePlanOutcome> {
  requireInput('releaseMetadata', input);
  const release = releaseMetadataId(input);
  requireId(release);
  const { repository, extras } = input;
  const state = { repository, codename: '', format: 'rpm', builds: [], merged: [], remove: [], extras } as const;
  const done: Shown = { shown: [], notes: new Map() };
  const refused = await showAll(`metadata-${repository}`, [state], done);
  if (refused !== null) return { ok: false, summary: refused };
  // It is shown: the mirrors are told, whatever becomes of this.
  await CancellationScope.nonCancellable(() => control.startMirrors({ format: 'rpm', repository, release }));
  return { ok: true, summary: [saidOf(input), ...done.notes.values()].flat().join('\n') };
}

function saidOf({ repository, extras: { given, remove } }: ReleaseMetadataInput): string {
  const has = given.map(({ kind, name }) => `${kind} of ${name}`);
  return `${repository} has ${[...has, ...remove.map((kind) => `no ${kind}`)].join(', ')}`;
}
