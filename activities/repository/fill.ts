import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultKeepFormer } from '../../pipelines/policy/former-files.ts';
import { type Generations, nextName, type Settled } from './generations.ts';
import type { RepositoryFormat } from './port.ts';
import { readStanding, type Standing, type Step, sharePools, takePool } from './standing.ts';
import { addedPaths } from './state.ts';
import { growTree, type Serving, type TreePlan, writeTree } from './tree.ts';

/** How a tree was filled. */
export interface Filled {
  readonly standing: Standing;
  readonly settled?: Settled;
}

/** Where it will be shown. */
export interface Making {
  readonly generations: Generations;
  /** What the clock says. */
  readonly now: Date;
  readonly keepFormer: number | undefined;
}

/** Fills a new tree, from the one before as it stands where that is possible. */
export async function fillTree(
  format: RepositoryFormat,
  tree: string,
  given: Omit<TreePlan, 'serving'>,
  { generations, now, keepFormer = defaultKeepFormer }: Making,
): Promise<Filled> {
  const { before, lists, foreign } = given.state;
  const known = before === null ? null : await readStanding(generations, before);
  const name = await nextName(generations);
  const clock = Math.max(now.getTime(), known?.clock ?? 0);
  const next = { number: Number(name), now: clock, keep: keepFormer };
  const plan = { ...given, serving: { generations, next, stale: known?.stale ?? new Map() } };
  const grows = lists !== null && foreign.length === 0 && given.resign !== true;
  if (grows && before !== null && known !== null && known.steps !== null) {
    const grown = await growOn(format, tree, { plan, before, steps: known.steps });
    if (grown !== null) return grown;
  }
  const { stale, inPools } = await writeTree(format, tree, plan);
  const standing = { stale, steps: inPools ? [] : null, clock };
  // All packages were put there by us, and as they are to be shown.
  const own = before === null && given.state.count === 0 && given.signer === undefined;
  return own
    ? { standing, settled: { directories: format.pools, changed: addedPaths(given.state.added) } }
    : { standing };
}

interface Ground {
  readonly plan: TreePlan & { readonly serving: Serving };
  readonly before: string;
  readonly steps: readonly Step[];
}

/** Null where the file system gives no second names. */
async function growOn(
  format: RepositoryFormat,
  tree: string,
  { plan, before, steps }: Ground,
): Promise<Required<Filled> | null> {
  const { pools } = format;
  const { generations, next } = plan.serving;
  const taken = await takePool(generations, tree, { before, steps, pools });
  if (taken === null && !(await sharePools(before, tree, pools))) {
    for (const pool of pools) await rm(join(tree, pool), { recursive: true, force: true });
    return null;
  }
  const { stale, paths } = await growTree(format, tree, plan);
  const step = [await nextName(generations), paths] as const;
  return {
    standing: { stale, steps: [...steps, step], clock: next.now },
    settled: { directories: pools, changed: taken === null ? null : [...taken, ...paths] },
  };
}
