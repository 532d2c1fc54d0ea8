import { join, relative } from 'node:path';
import { Context } from '@temporalio/activity';
import type { Logger } from 'pino';
import { configurationFault } from '../../activities/failure.ts';
import { collectJournal } from '../../activities/mirror/journal.ts';
import { saidOutcome } from '../../activities/mirror/pause.ts';
import { retainMirrors } from '../../activities/mirror/retain.ts';
import { syncMirrors } from '../../activities/mirror/sync.ts';
import type { MirrorSet } from '../../activities/mirror/types.ts';
import { isDue } from '../../activities/mirror/wait.ts';
import type { ReportActivities } from '../../activities/report/activities.ts';
import type { MirrorRecord } from '../../activities/report/types.ts';
import type { MirrorActivities, MirrorRetentionActivities } from '../../workflows/mirror.ts';
import type { Common } from '../common/common.ts';
import type { LiveConfig, LiveSettings } from '../common/live-config.ts';

export interface MirrorsDeps {
  readonly common: Common;
  readonly live: Pick<LiveConfig, 'settings'>;
  readonly report: ReportActivities;
  readonly logger: Logger;
}

/** Names of the sets of mirrors that have a repository tree as their source. */
export function setsShowing(mirrors: LiveSettings['mirrors'], tree: string): readonly string[] {
  return Object.entries(mirrors).flatMap(([set, { source }]) => (relative(source, tree) === '' ? [set] : []));
}

/** What the workflows of mirrors ask for. */
export function createMirrors(deps: MirrorsDeps): MirrorActivities & MirrorRetentionActivities {
  return { ...createSync(deps), ...createRetention(deps) };
}

/** What the `mirrorRetention` workflow asks for, over all sets that the configuration has by now, one after another. */
function createRetention({ common, live, logger }: MirrorsDeps): MirrorRetentionActivities {
  const state = join(common.config.data, 'mirrors');
  return {
    async retainMirrors() {
      const signal = Context.current().cancellationSignal;
      const sets = Object.entries(live.settings().mirrors).map(([name, settings]) => ({ name, ...settings }));
      const log = (set: string) => (line: string) => logger.info({ set }, line);
      return retainMirrors(sets, (set) => ({ state, now: Date.now, log: log(set), signal }));
    },
  };
}

/** What the `mirror` workflow asks for: a transaction over a set, kept in the store with the packages that it moved. */
function createSync({ common, live, report, logger }: MirrorsDeps): MirrorActivities {
  const { config, blobs } = common;
  const state = join(config.data, 'mirrors');
  return {
    async syncMirrors({ set }) {
      const settings = live.settings().mirrors[set];
      if (!settings) throw configurationFault(`no set of mirrors is called "${set}" in the configuration`);
      const context = Context.current();
      const record = startRecord(set, context);
      await report.recordMirror(record);
      const log = (line: string) => logger.info({ set }, line);
      const signal = context.cancellationSignal;
      const result = await syncMirrors(
        { name: set, ...settings },
        { state, now: Date.now, log, signal, recorded: true },
      );
      const { snapshot, outcome } = result;
      const ended = { ...record, snapshot, outcome, result: { ...result }, endTime: Date.now() };
      await report.recordMirror(await withPackages(ended, blobs));
      return { outcome: saidOutcome(result) };
    },
  };
}

/** A configuration whose reload takes over how often retention runs as well. */
export function keepScheduled(
  live: LiveConfig,
  schedule: (every: number) => Promise<void>,
  logger: Pick<Logger, 'warn'>,
): LiveConfig {
  return {
    ...live,
    reload() {
      const reloaded = live.reload();
      schedule(live.settings().retention.mirrors).catch((error) =>
        logger.warn({ error }, 'cannot change how often old snapshots are removed from mirrors'),
      );
      return reloaded;
    },
  };
}

/** Keeps the list of the packages that a transaction moved where the page links to it. */
async function withPackages(record: MirrorRecord, blobs: Common['blobs']): Promise<MirrorRecord> {
  const moved = record.result?.packages;
  if (record.endTime === null || moved === undefined) return record;
  const { digest } = await blobs.put(JSON.stringify(moved, null, 2));
  return { ...record, artifacts: [{ name: 'packages.json', url: blobs.url(digest, 'packages.json') }] };
}

/** Milliseconds between two looks for what `sluice mirror` did by hand, and for syncs that waited. */
const period = 2_000;

interface Collecting extends MirrorsDeps {
  /** Asks the set's entity for a sync. */
  readonly ask: (set: string) => Promise<void>;
}

/**
 * Takes over what was written down beside the sets' state by commands that know no server, and begins syncs that waited
 * for the set's window: what is there at once, and what comes until it is stopped.
 */
export async function keepCollecting(deps: Collecting): Promise<{ stop(): Promise<void> }> {
  const { common, live, report, logger } = deps;
  const { config, blobs } = common;
  const state = join(config.data, 'mirrors');
  const take = async (record: MirrorRecord) => report.recordMirror(await withPackages(record, blobs));
  const begin = createBeginner(deps, state);
  let looking: Promise<void> = Promise.resolve();
  const look = async () => {
    for (const [set, settings] of Object.entries(live.settings().mirrors)) {
      await collectJournal(state, set, take);
      await begin({ name: set, ...settings });
    }
  };
  const again = () => {
    looking = looking.then(look).catch((error) => logger.warn({ error }, 'cannot read what was done to mirrors'));
  };
  again();
  await looking;
  const timer = setInterval(again, period);
  return {
    stop: async () => {
      clearInterval(timer);
      await looking;
    },
  };
}

/** Asks once for each sync that is due, which begins a moment later. */
function createBeginner({ ask, logger }: Collecting, state: string): (set: MirrorSet) => Promise<void> {
  const asked = new Set<string>();
  return async (set) => {
    const log = (line: string) => logger.info({ set: set.name }, line);
    const due = await isDue(set, { state, now: Date.now, log });
    if (due && !asked.has(set.name)) await ask(set.name);
    if (due) asked.add(set.name);
    else asked.delete(set.name);
  };
}

/** The same for every attempt at the same transaction. */
function startRecord(set: string, { info }: Context): MirrorRecord {
  return {
    id: `${set}/${info.workflowExecution?.runId}/${info.activityId}`,
    set,
    snapshot: null,
    outcome: 'running',
    result: null,
    artifacts: [],
    startTime: info.scheduledTimestampMs,
    endTime: null,
  };
}
