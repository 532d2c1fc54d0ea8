import { randomUUID } from 'node:crypto';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { Fate } from '../../pipelines/report/fate.ts';
import type { BuildRecord, BuildSetRecord } from '../../workflows/contract.ts';
import { closeSignal, commandsSignal, jobEndedSignal } from '../../workflows/messages.ts';
import type { ReportActivities } from '../report/activities.ts';
import type { ReleaseRecord } from '../report/types.ts';
import { concludedBuild, concludedBuildSet, concludedRelease } from './conclude.ts';
import { type Execution, fateOf } from './fate.ts';
import { type GateLook, lookAtGate, openBuildSets, openGates } from './look.ts';
import { lostBuilds, waitsForResults } from './lost.ts';
import { type OpenBuildSet, strayBuildSets } from './stray.ts';

/** What is recorded as going on. */
export interface RunningRecords {
  readonly builds: readonly BuildRecord[];
  readonly buildSets: readonly BuildSetRecord[];
  readonly releases: readonly ReleaseRecord[];
}

export interface SweepDeps {
  readonly client: Client;
  readonly running: () => Promise<RunningRecords>;
  readonly report: Pick<ReportActivities, 'recordBuild' | 'recordBuildSet' | 'recordRelease'>;
  readonly warn: (about: object, message: string) => void;
}

/** What a sweep has mended: build sets that it closed, items that lost theirs, records that it concluded. */
export interface Swept {
  readonly closed: number;
  readonly lost: number;
  readonly concluded: number;
}

/** Brings gates, build sets and records together again that a kill or a hand in Temporal's page has parted. */
export function createSweep(deps: SweepDeps) {
  return {
    async sweep({ tenant }: { readonly tenant: string }): Promise<Swept> {
      const open = await openBuildSets(deps.client, tenant);
      const names = [...open.map(({ gate }) => gate), ...(await openGates(deps.client, tenant))];
      const gates = new Map<string, GateLook>();
      for (const gate of new Set(names)) gates.set(gate, await lookAtGate(deps.client, gate));
      const closed = await closeStrays(deps, strayBuildSets(open, gates));
      const lost = await answerGates(deps, open, gates);
      return { closed, lost, concluded: await concludeAll(deps, await deps.running()) };
    },

    /** Concludes the record of one build, if its workflow has ended. */
    async mend(build: BuildRecord): Promise<void> {
      await concludeAll(deps, { builds: [build], buildSets: [], releases: [] });
    },
  };
}

async function closeStrays({ client, warn }: SweepDeps, strays: readonly string[]): Promise<number> {
  for (const workflow of strays) {
    warn({ workflow }, 'closing a build set that nobody waits for');
    await ifThere(client.workflow.getHandle(workflow).signal(closeSignal));
  }
  return strays.length;
}

/** Tells gates that the build sets of their items have ended: they were terminated, and could not say so. */
async function answerGates(
  { client, warn }: SweepDeps,
  open: readonly OpenBuildSet[],
  gates: ReadonlyMap<string, GateLook>,
): Promise<number> {
  let lost = 0;
  for (const [gate, items] of gates) {
    if (typeof items === 'string') continue;
    for (const item of items) {
      const { workflow } = item;
      if (workflow === null || !waitsForResults(item) || open.some((one) => one.workflow === workflow)) continue;
      const fate = await fateOf(client, { workflow });
      // One that Temporal does not know may be about to start.
      if (fate === null || fate.kind === 'unknown') continue;
      warn({ gate, workflow, fate: fate.kind }, 'answering a gate that waits for a build set which has ended');
      const message = { id: randomUUID(), commands: lostBuilds(item, fate, Date.now()) };
      await ifThere(client.workflow.getHandle(gate).signal(commandsSignal, message));
      lost += 1;
    }
  }
  return lost;
}

/** A record that may have to be concluded: what it is about, and how that is done. */
interface Unended {
  readonly about: Execution;
  readonly conclude: (fate: Fate, time: number) => Promise<void>;
}

async function concludeAll(deps: SweepDeps, seen: RunningRecords): Promise<number> {
  const { client, warn } = deps;
  const fates = new Map<string, Fate | null>();
  for (const { about } of unendedIn(deps, seen)) fates.set(nameOf(about), await fateOf(client, about));
  // What has ended meanwhile has said so itself: only what is still recorded as running is left to us.
  let concluded = 0;
  for (const { about, conclude } of unendedIn(deps, await deps.running())) {
    const fate = fates.get(nameOf(about));
    if (!fate) continue;
    warn({ ...about, fate: fate.kind }, 'concluding the record of a workflow that has ended');
    await conclude(fate, Date.now());
    concluded += 1;
  }
  return concluded;
}

function unendedIn({ client, report }: SweepDeps, { builds, buildSets, releases }: RunningRecords): readonly Unended[] {
  return [
    ...builds.map((record) => ({
      about: { workflow: record.workflow, run: record.run },
      async conclude(fate: Fate, time: number) {
        const ended = concludedBuild(record, fate, time);
        await report.recordBuild(ended);
        await tellBuildSet(client, ended);
      },
    })),
    ...buildSets.map((record) => ({
      about: { workflow: record.workflow },
      conclude: (fate: Fate, time: number) => report.recordBuildSet(concludedBuildSet(record, fate, time)),
    })),
    ...releases.map((record) => ({
      about: { workflow: record.workflow ?? record.id },
      conclude: (fate: Fate, time: number) => report.recordRelease(concludedRelease(record, fate, time)),
    })),
  ];
}

function nameOf({ workflow, run = '' }: Execution): string {
  return `${workflow} ${run}`;
}

/** A build set waits for a run that was started by hand, and would never hear of its end. */
async function tellBuildSet(client: Client, build: BuildRecord): Promise<void> {
  const { adopted, workflow, run = '', attempt, result, summary, artifacts, endTime } = build;
  if (adopted === undefined || result === null) return;
  const outcome = { result, summary, artifacts, time: endTime ?? Date.now() };
  const news = { job: adopted.job, workflow, run, attempt, outcome };
  await ifThere(client.workflow.getHandle(adopted.workflow).signal(jobEndedSignal, news));
}

async function ifThere(told: Promise<void>): Promise<void> {
  try {
    await told;
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
