import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { Capacity } from '../pipelines/nodes/capacity.ts';
import { emptyDesk, type NodesDesk, type NodesRequest, servingOrder } from '../pipelines/nodes/desk.ts';
import type { BuildRecord } from '../workflows/contract.ts';
import { heldId, nodesId } from '../workflows/ids.ts';
import { nodesQuery } from '../workflows/messages.ts';
import type { NodeHolds } from './holds.ts';
import { lookAtLastRun } from './last-run.ts';
import { type BuildMachines, type NodesFacts, type NodesView, nodesView } from './nodes-view.ts';
import type { Records } from './port.ts';

/** Rows of each table at most: the others are counted. */
const most = 200;

/** Builds at work that are looked through for machines that nobody counts. */
const mostRunning = 500;

/** How long an entity may take to answer, in milliseconds. */
const patience = 10_000;

export interface NodesLookDeps {
  readonly client: Client;
  readonly store: Pick<Records, 'listBuilds' | 'findBuild'>;
  readonly holds: Pick<NodeHolds, 'list'>;
  readonly providers: readonly string[];
  /** What a provider has, as configured now. */
  readonly capacity: (provider: string) => Promise<Capacity>;
  /** The machines that a build has at work; undefined: none. */
  readonly machinesOf: (build: Pick<BuildRecord, 'stage' | 'label'>) => BuildMachines | undefined;
}

/** Who has which nodes, and who waits for some. */
export interface NodesLook {
  /** @throws when an entity does not answer */
  look(): Promise<NodesView>;
}

export function createNodesLook(deps: NodesLookDeps): NodesLook {
  const { store } = deps;
  return {
    async look() {
      const [desks, held, running] = await Promise.all([
        Promise.all(deps.providers.map((provider) => deskOf(deps, provider))),
        heldOf(deps),
        store.listBuilds({ running: true, limit: mostRunning }),
      ]);
      const listed = desks.flatMap(({ desk }) => [...desk.leases.slice(0, most), ...servingOrder(desk).slice(0, most)]);
      const builds = await recordsOf(store, { running, held, listed });
      const uncounted = uncountedOf(deps, { desks, held, builds });
      return nodesView({ desks, builds, held, uncounted }, Date.now(), most);
    },
  };
}

async function deskOf({ client, capacity }: NodesLookDeps, provider: string): Promise<NodesFacts['desks'][number]> {
  const [desk, most] = await Promise.all([askDesk(client, provider), capacity(provider)]);
  return { provider, desk, capacity: most };
}

/** Machines of builds at work where nothing is limited, and held ones that their provider had not lent. */
function uncountedOf(
  { machinesOf }: NodesLookDeps,
  { desks, held, builds }: Omit<NodesFacts, 'uncounted'>,
): NodesFacts['uncounted'] {
  const limited = desks.filter(({ capacity }) => Object.values(capacity).some((limit) => limit !== undefined));
  const counting = new Set(limited.map(({ provider }) => provider));
  const known = new Set(desks.flatMap(({ desk }) => [...desk.leases, ...desk.waiting].map(({ holder }) => holder)));
  return [...builds].flatMap(([workflow, build]) => {
    const works = build.endTime === null && build.waiting === undefined;
    const machines = known.has(workflow) ? undefined : machinesOf(build);
    if (machines === undefined) return [];
    // Of one that counts, whoever is not known to it has nothing any more, whatever its record says.
    const has = held.has(workflow) || (works && !counting.has(machines.provider));
    return has ? [{ ...machines, workflow, build: build.id }] : [];
  });
}

/** What is held, by the workflow that holds it. */
async function heldOf({ holds }: NodesLookDeps): Promise<NodesFacts['held']> {
  const all = await holds.list();
  return new Map(all.flatMap(({ id, job, held }) => held.map((one) => [heldId(one.build), { id, job, held: one }])));
}

async function askDesk(client: Client, provider: string): Promise<NodesDesk> {
  const workflowId = nodesId(provider);
  try {
    // Where nothing is limited, or nobody has come yet, there is none; one that has ended has forgotten.
    if ((await lookAtLastRun(client, workflowId)).state !== 'running') return emptyDesk;
    const ask = () => client.workflow.getHandle(workflowId).query(nodesQuery);
    return await client.withDeadline(Date.now() + patience, ask);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return emptyDesk;
    throw error;
  }
}

interface Wanted {
  readonly running: readonly BuildRecord[];
  readonly held: NodesFacts['held'];
  readonly listed: readonly NodesRequest[];
}

/** Records by the workflow that has the nodes: of a build that is held it is not the build's own. */
async function recordsOf(
  store: NodesLookDeps['store'],
  { running, held, listed }: Wanted,
): Promise<ReadonlyMap<string, BuildRecord>> {
  const known = new Map(running.map((build) => [build.workflow, build]));
  const others = new Map([
    ...listed.filter(({ holder }) => !known.has(holder)).map(({ holder, build }) => [holder, build] as const),
    ...[...held].map(([holder, one]) => [holder, one.held.build] as const),
  ]);
  for (const [workflow, id] of others) {
    const record = await store.findBuild(id);
    if (record !== undefined) known.set(workflow, record);
  }
  return known;
}
