import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { isVirtual, type Platform } from '../../../pipelines/model/platform.ts';
import type { PreparedSnapshot, SnapshotActivities } from '../../../workflows/snapshots-contract.ts';
import { configurationFault } from '../../failure.ts';
import type { Machine } from '../port.ts';
import { hardwareHere } from './accelerator.ts';
import { closeDebug, openDebug } from './debug.ts';
import { expireSnapshots, storedIn } from './expire.ts';
import { failedIn, writeFailure } from './failures.ts';
import type { Hardware } from './host.ts';
import type { Lender } from './lend.ts';
import { type PreparationRun, prepareSnapshot } from './prepare.ts';
import { keptIn, machinesIn, snapshotsIn } from './records.ts';
import { bestSnapshot, keptViewsOf, type SnapshotLimits, viewsOf } from './snapshots.ts';
import { findStale, preparationOf, type Stale, whyStale } from './stale.ts';
import type { Way } from './ways.ts';

/** What is done to machines before they are saved. */
export interface Provisioning {
  /** Digest of what is done to those of a platform; undefined: nothing. @throws where that is not there */
  readonly digest: (platform: Platform) => Promise<string | undefined>;
  /** @throws an error that says what failed */
  readonly run: (of: {
    readonly platform: Platform;
    readonly machine: Machine;
    readonly holder?: string;
    readonly signal: AbortSignal;
    readonly tell: (line: string) => void;
  }) => Promise<void>;
  /** What they may speak to meanwhile. */
  readonly ways: () => Promise<readonly Way[]>;
}

export interface SnapshotDeps {
  readonly lender: Lender;
  readonly platforms: readonly Platform[];
  /** Makes the image of a platform unless it is there. @returns its directory */
  readonly ensureImage: (
    platform: Platform,
    run: { readonly signal: AbortSignal; readonly tell: (line: string) => void },
  ) => Promise<string>;
  /** The same as it would be made now, whether or not it is there. */
  readonly imageNow: (platform: Platform) => Promise<string>;
  /** Removes the images of before that are not among those that snapshots stand on. */
  readonly removeImages: (kept: readonly string[]) => Promise<readonly string[]>;
  readonly limits: SnapshotLimits;
  readonly provisioning: Provisioning;
  /** Whether machines are lent on the host now; absent: they are. Else none are prepared that nobody waits for. */
  readonly lends?: () => boolean;
  /** Directory of this machine for what is known of preparations that have failed. */
  readonly failures: string;
  /** For tests: what this host makes machines of, and how one is prepared, or restored for people. */
  readonly hardware?: () => Promise<Hardware>;
  readonly prepare?: typeof prepareSnapshot;
  readonly restore?: typeof openDebug;
}

/** What the worker of a host does about its saved machines. */
export function createSnapshotActivities(deps: SnapshotDeps): SnapshotActivities {
  const { lender, limits, hardware = () => hardwareHere(lender.places.host), lends = () => true } = deps;
  const { places } = lender;
  const host = places.host.name;
  const virtual = deps.platforms.filter(isVirtual);
  return {
    virtualPlatforms: async () => (lends() ? virtual.map(({ name }) => name) : []),

    async prepareSnapshot({ platform: name, missing }) {
      const platform = virtual.find((each) => each.name === name);
      if (platform === undefined) {
        const known = virtual.map((each) => each.name).join(', ') || 'none';
        throw configurationFault(`no platform with \`provider: vm\` is called "${name}"; there are: ${known}`);
      }
      try {
        const prepared = await prepare(deps, platform, missing);
        await rm(failurePath(deps, name), { force: true });
        return prepared;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (!Context.current().cancellationSignal.aborted) {
          await writeFailure(failurePath(deps, name), { platform: name, host, time: Date.now(), reason });
        }
        Context.current().log.error('machines are not prepared, and those of before stay', { platform: name, reason });
        throw error;
      }
    },

    async listSnapshots() {
      const [snapshots, kept, stored, machines, failed] = await Promise.all([
        snapshotsIn(places),
        keptIn(places),
        storedIn(places),
        machinesIn(places),
        failedIn(deps.failures),
      ]);
      // What there is, is told also where nobody knows what would be made now.
      const found = snapshots.length === 0 ? [] : await staleIn(deps).catch(() => []);
      const stale = new Map(found.map(({ snapshot, reason }) => [snapshot, reason]));
      const bytes = new Map(stored.map((each) => [each.id, each.bytes]));
      const here = snapshots.length === 0 ? null : await hardware();
      const known = new Set(snapshots.map(({ image }) => image));
      return {
        snapshots: viewsOf({ snapshots, machines, bytes, here, host }).map((view) => {
          return { ...view, reason: view.reason ?? stale.get(view.id) ?? null };
        }),
        kept: keptViewsOf(kept, { machines, bytes, host, age: limits.age }),
        builds: [...new Set(machines.map(({ build }) => build))],
        missing: lends() ? virtual.map(({ name }) => name).filter((name) => !known.has(name)) : [],
        failed: failed.filter(({ platform }) => virtual.some(({ name }) => name === platform)),
      };
    },

    async expireSnapshots() {
      // Of a platform that there is no more the newest goes like any other.
      const wanted = new Set(virtual.map(({ name }) => name));
      const removed = await expireSnapshots(places, { ...limits, wanted });
      const images = await deps.removeImages((await snapshotsIn(places)).map(({ from }) => from));
      if (images.length > 0) Context.current().log.info('removed images that no snapshot stands on', { images });
      return removed.map(({ id, image, time, bytes, standsOn }) => {
        return { id, kind: standsOn === undefined ? 'snapshot' : 'kept', platform: image, host, time, bytes };
      });
    },

    async openDebug({ build, step }) {
      const { cancellationSignal: signal, info } = Context.current();
      const holder = info.workflowExecution?.workflowId ?? '';
      const wish = { build, holder, hardware: await hardware(), signal, ...(step !== undefined && { step }) };
      return (deps.restore ?? openDebug)(lender, wish);
    },

    closeDebug: ({ build }) => closeDebug(lender, build),
  };
}

async function prepare(deps: SnapshotDeps, platform: Platform, missing: boolean): Promise<PreparedSnapshot> {
  const { lender, provisioning, hardware = () => hardwareHere(lender.places.host) } = deps;
  const { cancellationSignal: signal, log } = Context.current();
  const provision = await provisioning.digest(platform);
  const from = await deps.ensureImage(platform, { signal, tell: (line) => log.info(line) });
  const wanted = preparationOf(platform, { from, provision }, await hardware());
  const best = bestSnapshot(await snapshotsIn(lender.places), platform.name, wanted.hardware);
  const good = missing && typeof best !== 'string' && whyStale(best, wanted) === null ? best : undefined;
  const run = runOf(deps, platform, provision !== undefined);
  const whose = provision === undefined ? lender : { ...lender, ways: await provisioning.ways() };
  const snapshot = good ?? (await (deps.prepare ?? prepareSnapshot)(whose, wanted, run));
  const { id, bootMs } = snapshot;
  return { platform: platform.name, snapshot: id, made: good === undefined, bootMs };
}

function runOf({ provisioning }: SnapshotDeps, platform: Platform, provisioned: boolean): PreparationRun {
  const { cancellationSignal: signal, info, log } = Context.current();
  const holder = info.workflowExecution?.workflowId;
  const run = { signal, ...(holder === undefined ? {} : { holder }) };
  const warn = (line: string) => log.warn(line, { platform: platform.name });
  const tell = (line: string) => log.info(line, { platform: platform.name });
  const provision = (machine: Machine) => provisioning.run({ platform, machine, ...run, tell });
  return { ...run, warn, ...(provisioned && { provision }) };
}

/** The platforms of a host whose machines are not what would be prepared now. @throws where it has no emulator */
export function staleIn(
  deps: Pick<SnapshotDeps, 'lender' | 'platforms' | 'imageNow' | 'provisioning' | 'hardware' | 'lends'>,
): Promise<readonly Stale[]> {
  const { lender, platforms, hardware = () => hardwareHere(lender.places.host) } = deps;
  if (deps.lends?.() === false) return Promise.resolve([]);
  const madeNow = async (platform: Platform) => {
    return { from: await deps.imageNow(platform), provision: await deps.provisioning.digest(platform) };
  };
  return findStale({ places: lender.places, platforms, madeNow, hardware });
}

function failurePath(deps: SnapshotDeps, platform: string): string {
  return join(deps.failures, `${platform}.json`);
}
