import { pending } from '../pipelines/gate/pending.ts';
import type { GateState, Item } from '../pipelines/gate/state.ts';
import { currentBuilds, nextBuild } from '../pipelines/jobs/build-set.ts';
import { pendingBuilds } from '../pipelines/jobs/pending.ts';
import type { BuildSetState, Permissions } from '../pipelines/jobs/state.ts';
import { bounded } from '../pipelines/model/words.ts';
import type { GateBook } from './gate-book.ts';
import { type GateName, gateId } from './ids.ts';
import type { ItemSnapshot, JobSnapshot, QueueSnapshot } from './records.ts';

/** What the page and `sluice status` show of a gate at a moment, in milliseconds since the epoch. */
export function snapshot(name: GateName, book: GateBook, time: number): QueueSnapshot {
  const { state } = book;
  const pipeline = state.pipelines[0];
  // Not by the book, which forgets what is not wanted: a query changes nothing.
  const wanted = pending(state).filter((action) => action.kind === 'build-set');
  const actions = new Map(wanted.map((action) => [action.key, action]));
  const items = state.queues.flatMap((queue) => queue.items).filter((item) => item.live);
  return {
    ...name,
    workflow: gateId(name),
    sequence: book.sequence,
    time,
    manager: pipeline?.manager ?? 'independent',
    description: pipeline?.description ?? '',
    ...(state.undelivered.length === 0 ? {} : { undelivered: state.undelivered }),
    window: Math.max(0, ...state.queues.map((queue) => queue.window)),
    items: items.map((item) => {
      const { key } = item.buildSet;
      const { workflow = null, key: buildSet = key } = book.buildSets[key] ?? {};
      const trouble = troubleOf(book, key);
      return itemSnapshot(state, item, { permissions: actions.get(key)?.permissions, workflow, buildSet, trouble });
    }),
  };
}

/** The same on one line, for the Temporal Web UI. */
export function summaryLine({ items, window }: QueueSnapshot): string {
  if (items.length === 0) return 'empty';
  const failing = items.filter((item) => item.state === 'failing').length;
  const head = items[0]?.changes.map(({ id, patchset }) => `${id},${patchset}`).join(' ');
  return `${items.length} queued, ${failing} failing, window ${window || 'unlimited'}; head: ${head}`;
}

interface ItemContext {
  readonly permissions: Permissions | undefined;
  readonly workflow: string | null;
  readonly buildSet: string;
  readonly trouble: string | undefined;
}

function itemSnapshot(state: GateState, item: Item, context: ItemContext): ItemSnapshot {
  const changes = item.changes.map((key) => state.facts.changes[key]).filter((change) => change !== undefined);
  const phase = stateOf(item);
  // It names the change and the file, where the gate's own words say that there is a conflict.
  const found = item.buildSet.trouble?.message.split('\n', 1)[0];
  return {
    id: item.id,
    ahead: item.ahead,
    active: item.active,
    changes: changes.map(({ id, project, branch, patchset, subject, owner, url, wip }) => {
      const more = { ...(url === undefined ? {} : { url }), ...(wip ? { wip } : {}) };
      return { id, project, branch, patchset, subject: bounded(subject), owner, ...more };
    }),
    enqueueTime: item.enqueued,
    buildSet: item.buildSet.base ? context.buildSet : null,
    workflow: context.workflow,
    state: phase,
    reason: context.trouble ?? found ?? item.failing[0] ?? (item.active ? '' : 'outside the window'),
    jobs: jobSnapshots(item, context.permissions),
    ...(item.buildSet.asked?.length ? { asked: item.buildSet.asked } : {}),
  };
}

/** What keeps the item's own actions from being carried out. */
function troubleOf({ troubles }: GateBook, key: string): string | undefined {
  return (troubles[`${key}/submit`] ?? troubles[key])?.reason;
}

function stateOf(item: Item): ItemSnapshot['state'] {
  if (item.phase === 'submitting') return 'merging';
  if (item.phase === 'reporting') return 'reporting';
  if (item.failing.length > 0) return 'failing';
  if (item.buildSet.builds) return 'running';
  return item.buildSet.base ? 'preparing' : 'waiting';
}

function madeBefore(builds: BuildSetState, job: string): { readonly before?: number } {
  const before = nextBuild(builds, job).attempt - 1;
  return before > 0 ? { before } : {};
}

function jobSnapshots(item: Item, permissions: Permissions | undefined): readonly JobSnapshot[] {
  const { builds } = item.buildSet;
  if (!builds) return [];
  const current = currentBuilds(builds);
  const waiting = permissions ? pendingBuilds(builds, permissions).waiting : {};
  return builds.graph.jobs.map((job) => {
    const build = current.get(job.key);
    const dependencies = job.dependencies.map(({ name }) => name);
    return {
      key: job.key,
      name: job.name,
      voting: job.voting,
      dependencies,
      attempt: build?.attempt ?? 0,
      ...(build ? {} : madeBefore(builds, job.key)),
      result: build?.result ?? null,
      startTime: build?.startTime ?? null,
      endTime: build?.endTime ?? null,
      summary: build?.summary ?? '',
      artifacts: build?.artifacts ?? [],
      waiting: build?.waiting ?? waiting[job.key] ?? [],
      ...(build?.logUrl === undefined ? {} : { logUrl: build.logUrl }),
    };
  });
}
