import type { ColumnType, GeneratedAlways } from 'kysely';
import type { MirrorRecord, ReleasePlanRecord, ReleaseRecord } from '../../activities/report/types.ts';
import type { Act } from '../../pipelines/policy/act.ts';
import type { BuildRecord, BuildSetRecord, QueueSnapshot } from '../../workflows/contract.ts';

/** JSON comes back parsed and goes in as text. */
type Json<T> = ColumnType<T, string, string>;

/** Milliseconds since the epoch; for comparing in SQL only, so that drivers may differ on big numbers. */
type Millis = ColumnType<unknown, number, number>;

/** Names and keys are unique within a tenant alone. */
interface Owned {
  readonly tenant: string;
}

/** `record` is the whole truth; the other columns are what it is looked up by. */
interface Recorded<T> extends Owned {
  readonly id: string;
  readonly start_time: Millis;
  readonly end_time: ColumnType<unknown, number | null, number | null>;
  readonly record: Json<T>;
}

interface BuildTable extends Recorded<BuildRecord> {
  readonly build_set: string;
  readonly pipeline: string;
  readonly project: string;
  readonly change: string;
  readonly job: string;
  readonly result: string | null;
}

interface BuildSetTable extends Recorded<BuildSetRecord> {
  readonly build_set: string;
  readonly pipeline: string;
  readonly project: string;
  readonly change: string;
  readonly result: string | null;
}

interface ReleaseTable extends Recorded<ReleaseRecord> {
  readonly project: string;
  readonly change: string;
}

interface PackageTable extends Owned {
  readonly release: string;
  readonly format: string;
  readonly name: string;
  readonly version: string;
  readonly arch: string;
  readonly digest: string;
}

interface MirrorTable extends Recorded<MirrorRecord> {
  readonly mirror_set: string;
}

interface QueueTable extends Owned {
  readonly workflow: string;
  readonly time: Millis;
  readonly sequence: number;
  readonly snapshot: Json<QueueSnapshot>;
}

interface ToldTable extends Owned {
  readonly key: string;
  readonly time: Millis;
}

interface ActTable extends Omit<Recorded<Act>, 'end_time'> {
  /** Name of who asked. */
  readonly actor: string;
  readonly operation: string;
}

/** What review systems have told, in order of `sequence`. */
interface OccurrenceTable extends Owned {
  readonly connection: string;
  readonly id: string;
  readonly sequence: GeneratedAlways<unknown>;
  readonly received: Millis;
  readonly state: 'waiting' | 'done' | 'dead';
  readonly attempts: number;
  readonly due: Millis;
  /** Why the last try failed. */
  readonly reason: string | null;
  /** JSON, but kept as text: JSON columns do not take every text that a host may send. */
  readonly occurrence: string;
}

export interface Tables {
  readonly builds: BuildTable;
  readonly build_sets: BuildSetTable;
  readonly releases: ReleaseTable;
  readonly packages: PackageTable;
  readonly release_plans: Omit<Recorded<ReleasePlanRecord>, 'end_time'>;
  readonly mirrors: MirrorTable;
  readonly queues: QueueTable;
  readonly told: ToldTable;
  readonly acts: ActTable;
  readonly occurrences: OccurrenceTable;
}
