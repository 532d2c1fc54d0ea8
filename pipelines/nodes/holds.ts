/** What of which jobs is held: Zuul's autohold. */
export interface HoldScope {
  readonly job: string;
  /** Absent: of every project. */
  readonly project?: string;
  /** Id of a change (of older versions also a ref); absent: of all. */
  readonly change?: string;
  /** A branch, or a ref by its whole name; absent: of all. */
  readonly ref?: string;
}

/** Somebody's wish to look at the nodes of jobs that fail. */
export interface HoldWish extends HoldScope {
  readonly id: string;
  readonly reason: string;
  /** Of how many failed builds, all in all. */
  readonly count: number;
  /** How long the nodes of each stay, in seconds; null: until the hold is deleted. */
  readonly seconds: number | null;
  /** Who wants it, and since when (milliseconds since the epoch). */
  readonly by: string;
  readonly time: number;
}

interface HeldNode {
  readonly name: string;
  /** By which a shell is had there, on the host. */
  readonly command: string;
}

/** The nodes of a failed build, which stay as they are. */
export interface HeldBuild {
  readonly build: string;
  readonly host: string;
  readonly nodes: readonly HeldNode[];
  /** Milliseconds since the epoch; `until` null: until the hold is deleted. */
  readonly time: number;
  readonly until: number | null;
}

export interface Hold extends HoldWish {
  /** Failed builds that it has counted, whose nodes may have gone since. */
  readonly builds: readonly string[];
  /** Those whose nodes are there. */
  readonly held: readonly HeldBuild[];
}

/** All holds of a tenant, in the order in which they came. Plain JSON. */
export interface Holds {
  readonly holds: readonly Hold[];
}

/** A build that has failed. */
export interface FailedBuild {
  readonly id: string;
  readonly job: string;
  readonly project: string;
  readonly change: string;
}

export const noHolds: Holds = { holds: [] };

/** Adds a hold. Twice is once. */
export function addHold(all: Holds, wish: HoldWish): Holds {
  if (all.holds.some(({ id }) => id === wish.id)) return all;
  return { holds: [...all.holds, { ...wish, builds: [], held: [] }] };
}

/** Takes a hold away; who has its nodes hears of it by `holdOf`. */
export function deleteHold(all: Holds, id: string): Holds {
  return { holds: all.holds.filter((hold) => hold.id !== id) };
}

export function holdOf(all: Holds, id: string): Hold | undefined {
  return all.holds.find((hold) => hold.id === id);
}

/**
 * Counts a failed build for the hold that says most exactly what it wants, of those that still want one; among equals,
 * for the one that came first. A build that asks again is told the same.
 *
 * @returns null where nobody wants it
 */
export function claimHold(all: Holds, build: FailedBuild): { readonly all: Holds; readonly hold: Hold | null } {
  const counted = all.holds.find(({ builds }) => builds.includes(build.id));
  if (counted !== undefined) return { all, hold: counted };
  const open = all.holds.filter((hold) => hold.builds.length < hold.count && matches(hold, build));
  const [found] = [...open].sort((a, b) => exactness(b) - exactness(a));
  if (found === undefined) return { all, hold: null };
  const hold = { ...found, builds: [...found.builds, build.id] };
  return { all: replace(all, hold), hold };
}

/** Notes that the nodes of a build are there. @returns null where the hold has been deleted meanwhile: they are to go */
export function beginHeld(all: Holds, { id, held }: { readonly id: string; readonly held: HeldBuild }): Holds | null {
  const hold = holdOf(all, id);
  if (hold === undefined) return null;
  const others = hold.held.filter(({ build }) => build !== held.build);
  return replace(all, { ...hold, held: [...others, held] });
}

/** Notes that the nodes of a build are gone. A hold that has counted all that it wanted goes with the last of them. */
export function endHeld(all: Holds, build: string): Holds {
  const hold = all.holds.find(({ builds }) => builds.includes(build));
  if (hold === undefined) return all;
  const left = { ...hold, held: hold.held.filter((each) => each.build !== build) };
  const over = left.held.length === 0 && left.builds.length >= left.count;
  return over ? deleteHold(all, hold.id) : replace(all, left);
}

/** Gives back what a build was counted for whose nodes could not be held. */
export function returnHold(all: Holds, build: string): Holds {
  const hold = all.holds.find(({ builds }) => builds.includes(build));
  if (hold === undefined) return all;
  return replace(all, { ...hold, builds: hold.builds.filter((each) => each !== build) });
}

function matches({ job, project, change, ref = change }: HoldScope, build: FailedBuild): boolean {
  return (
    job === build.job &&
    (project === undefined || project === build.project) &&
    (ref === undefined || ref === build.change || `refs/heads/${ref}` === build.change)
  );
}

function exactness({ project, change, ref = change }: HoldScope): number {
  return (ref === undefined ? 0 : 2) + (project === undefined ? 0 : 1);
}

function replace(all: Holds, hold: Hold): Holds {
  return { holds: all.holds.map((each) => (each.id === hold.id ? hold : each)) };
}
