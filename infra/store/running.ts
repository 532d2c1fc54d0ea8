import type { RunningRecords } from '../../activities/sweep/sweep.ts';
import type { TenantRows } from './database.ts';

/** Enough for one look: what is left over is found by the next. */
const limit = 1_000;

/** All that is recorded as going on, oldest first. */
export async function listRunning({ db, tenant }: TenantRows): Promise<RunningRecords> {
  const [builds, buildSets, releases] = await Promise.all([
    db
      .selectFrom('builds')
      .select('record')
      .where('tenant', '=', tenant)
      .where('end_time', 'is', null)
      .orderBy('start_time')
      .limit(limit)
      .execute(),
    db
      .selectFrom('build_sets')
      .select('record')
      .where('tenant', '=', tenant)
      .where('end_time', 'is', null)
      .orderBy('start_time')
      .limit(limit)
      .execute(),
    db
      .selectFrom('releases')
      .select('record')
      .where('tenant', '=', tenant)
      .where('end_time', 'is', null)
      .orderBy('start_time')
      .limit(limit)
      .execute(),
  ]);
  return {
    builds: builds.map(({ record }) => record),
    buildSets: buildSets.map(({ record }) => record),
    releases: releases.map(({ record }) => record),
  };
}
