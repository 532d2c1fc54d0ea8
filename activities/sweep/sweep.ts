import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { Fate } from '../../pipelines/report/fate.ts';
import type { BuildRecord, BuildSetRecord } from '../../workflows/contract.ts';
import { gateId } from '../../workflows/ids.ts';
import { closeSignal, jobEndedSignal, queueQuery } from '../../workflows/messages.ts';
import { searchAttributes } from '../../workflows/search-attributes.ts';
import type { ReportActivities } from '../report/activities.ts';
import type { ReleaseRecord } from '../report/types.ts';
import { concludedBuild, concludedBuildSet, concludedRelease } from './conclude.ts';
import { type Execution, fateOf } from './fate.ts';
import { type GateStanding, type OpenBuildSet, strayBuildSets } from './stray.ts';

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

/** What a sweep has mended: build sets that it has closed, records that it has concluded. */
export interface Swept {
  readonly closed: number;
  readonly concluded: number;
}

/** How long a gate may take to say what it waits for, in milliseconds; one that is busy is asked the next time. */
const patience = 5_000;

/** Closes build sets that nobody waits for, and concludes the records of what has ended without a word. */
export function createSweep(deps: SweepDeps) {
  return {
    async sweep({ tenant }: { readonly tenant: string }): Promise<Swept> {
      const closed = await closeStrays(deps, tenant);
      return { closed, concluded: await concludeAll(deps, await deps.running()) };
    },

    /** Concludes the record of one build, if its workflow has ended. */
    async mend(build: BuildRecord): Promise<void> {
      await concludeAll(deps, { builds: [build], buildSets: [], releases: [] });
    },
  };
}

async function closeStrays({ client, warn }: SweepDeps, tenant: string): Promise<number> {
  const open = await openBuildSets(client, tenant);
  const gates = new Map<string, GateStanding>();
  for (const gate of new Set(open.map((one) => one.gate))) gates.set(gate, await standingOf(client, gate));
  const strays = strayBuildSets(open, gates);
  for (const workflow of strays) {
    warn({ workflow }, 'closing a build set that nobody waits for');
    await ifThere(client.workflow.getHandle(workflow).signal(closeSignal));
  }
  return strays.length;
}

async function openBuildSets(client: Client, tenant: string): Promise<OpenBuildSet[]> {
  const found: OpenBuildSet[] = [];
  const query = 'WorkflowType = "buildSet" AND ExecutionStatus = "Running"';
  for await (const { workflowId, typedSearchAttributes } of client.workflow.list({ query })) {
    const [own, pipeline, queue] = (['tenant', 'pipeline', 'queue'] as const).map((name) => {
      return typedSearchAttributes.get(searchAttributes[name]);
    });
    if (own !== tenant || pipeline === undefined || queue === undefined) continue;
    found.push({ workflow: workflowId, gate: gateId({ tenant, pipeline, queue }) });
  }
  return found;
}

async function standingOf(client: Client, gate: string): Promise<GateStanding> {
  if ((await fateOf(client, { workflow: gate })) !== null) return 'ended';
  try {
    const asked = client.withDeadline(Date.now() + patience, () => client.workflow.getHandle(gate).query(queueQuery));
    const { items } = await asked;
    return { waitsFor: new Set(items.flatMap(({ workflow }) => workflow ?? [])) };
  } catch {
    return 'silent';
  }
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
      about: { workflow: record.id },
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
