import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { testRepositoriesIn } from '../../activities/attest/attestor.ts';
import { writeWhole } from '../../activities/files/write.ts';
import type { Provider } from '../../activities/nodes/port.ts';
import { closeAgent } from '../../activities/sign/key.ts';
import { areSame, type ComparedJob, compareResults, isLeftOut } from '../../pipelines/export/compare.ts';
import type { ExportDescription, ExportedJob } from '../../pipelines/export/description.ts';
import type { PendingBuild } from '../../pipelines/jobs/pending.ts';
import type { BuildOutcome } from '../../pipelines/jobs/state.ts';
import type { BuildResult } from '../../pipelines/model/job.ts';
import { isVirtual, providerOf } from '../../pipelines/model/platform.ts';
import { isNoop } from '../../workflows/job-input.ts';
import { stagesOf } from '../common/stages.ts';
import { dataPaths } from '../stack/paths.ts';
import { createDoor } from './import-door.ts';
import { givenSecrets, type ImportHere } from './import-here.ts';
import { attemptsAt, rulesOf } from './import-job.ts';
import { type CheckedExport, placeExport } from './import-place.ts';
import { runJobs } from './import-run.ts';

export interface HandImport {
  readonly of: CheckedExport;
  readonly here: ImportHere;
  /** What lends machines, given where they find the repositories. */
  readonly machines: (door: () => Promise<string>) => Provider;
  /** Directory of imports; made when absent. */
  readonly imports: string;
  /** How many jobs run at once. */
  readonly slots: number;
  /** What was built stays beside the logs. */
  readonly keep: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

export interface HandImportResult {
  readonly buildSet: ExportDescription['buildSet'];
  readonly jobs: readonly ComparedJob[];
  /** All voting jobs came to the same. */
  readonly same: boolean;
  /** Names of secrets that jobs need, and no export has. */
  readonly lacks: readonly string[];
  /** Has the logs, and the result as JSON; of a server's the URL of an archive of it. */
  readonly directory: string;
}

/**
 * Runs the jobs of an export again: on the same tree, with the same repositories on offer, and with keys of its own that
 * nobody trusts, in a directory that no released repository is made of.
 *
 * @throws BadExport, EngineUnavailable
 */
export async function importByHand(wanted: HandImport): Promise<HandImportResult> {
  const { of, signal } = wanted;
  await mkdir(wanted.imports, { recursive: true });
  const root = await mkdtemp(join(wanted.imports, `${of.description.buildSet.key.replace(/[^a-z0-9.-]+/gi, '-')}-`));
  try {
    const door = await createDoor(root);
    const place = await placeExport(of, root, door.url);
    const close = await door.open(place.released);
    try {
      const attempts = attemptsAt(await jobsIn(wanted, { root, place, url: door.url }));
      const { graph } = of.stored;
      const state = await runJobs({ graph, jobs: of.description.jobs }, attempts, signal);
      const jobs = compareResults(of.description.jobs, state);
      const about = {
        buildSet: of.description.buildSet,
        jobs,
        same: areSame(jobs),
        lacks: lacksOf(of, wanted.here),
        directory: root,
      };
      await writeWhole(join(root, 'result.json'), `${JSON.stringify(about, null, 2)}\n`);
      return about;
    } finally {
      await close();
    }
  } finally {
    await closeAgent(dataPaths(root).testKeys);
    await removeContent(root, wanted.keep);
  }
}

/** Names of the secrets that jobs of an export need, and nobody has given. */
export function lacksOf(
  { description }: Pick<CheckedExport, 'description'>,
  { secrets: given }: Pick<ImportHere, 'secrets'>,
): readonly string[] {
  return secretsIn(description).filter((name) => !given.has(name));
}

/** Names of the secrets that jobs of an export need. */
export function secretsIn({ jobs }: Pick<ExportDescription, 'jobs'>): readonly string[] {
  return [...new Set(jobs.flatMap(({ secrets }) => secrets))].sort();
}

/** A job of an export as it would be run here. */
export interface PlannedJob {
  readonly job: string;
  readonly exported: string | null;
  readonly runs: boolean;
  /** Why it would not run. */
  readonly reason: string | null;
}

/** What an import would run, if each job went on as it did then. */
export function planOf({ description, stored }: CheckedExport, here: ImportHere): readonly PlannedJob[] {
  return description.jobs.map((exported) => {
    const frozen = stored.graph.jobs.find(({ key }) => key === exported.key);
    const noop = frozen !== undefined && isNoop({ job: frozen });
    const fault = isLeftOut(exported) ? leftOut : noop ? undefined : faultOf(exported, here);
    return { job: exported.key, exported: exported.result, runs: fault === undefined, reason: fault ?? null };
  });
}

const leftOut = 'nothing imported is released: this is for merged changes alone';

interface Rooted {
  readonly root: string;
  readonly place: Awaited<ReturnType<typeof placeExport>>;
  readonly url: () => Promise<string>;
}

async function jobsIn(wanted: HandImport, { root, place, url }: Rooted): Promise<Parameters<typeof attemptsAt>[0]> {
  const { of, onProgress, slots } = wanted;
  const { work, repositories } = dataPaths(root);
  await mkdir(work, { recursive: true });
  const ours = async () => `${await url()}/repositories/test/`;
  const { origin } = of.description.release;
  const platform = (label: string) => {
    const found = wanted.here.platform(label);
    if (found === undefined) throw new Error(`no platform is called "${label}" here`);
    return found;
  };
  const stages = stagesOf({
    ...{ data: root, blobs: place.blobs, sources: place.git, trees: place.trees, platform },
    logs: { open: () => Promise.reject(new Error('logs are files here')) },
    release: { origin, ...rulesOf(of.description.release) },
    released: place.released,
    archiveKey: async () => place.archiveKey,
    repositories: { look: testRepositoriesIn(join(repositories, 'test')), url: ours },
    openSecrets: givenSecrets(wanted.here.secrets),
  });
  const surroundings = { trees: place.trees, base: ours };
  const unfit = (build: PendingBuild) => whyUnfit(wanted, build);
  const provider = wanted.machines(url);
  return { of, place, stages, surroundings, provider, logs: join(root, 'logs'), work, slots, unfit, onProgress };
}

function whyUnfit({ of, here }: HandImport, { job, nodeset, key }: PendingBuild): BuildOutcome | undefined {
  const end = (result: BuildResult, summary: string) => ({ result, summary, time: Date.now() });
  const exported = of.description.jobs.find((one) => one.key === job.key);
  if (isNoop({ job })) return end('SUCCESS', 'nothing to run');
  if (isLeftOut(job)) return end('SKIPPED', leftOut);
  const fault = exported === undefined ? `export.json does not name ${key}` : faultOf(exported, here);
  if (fault !== undefined) return end('ERROR', fault);
  const label = nodeset.nodes.map((node) => node.label).find((one) => here.platform(one) === undefined);
  return label === undefined ? undefined : end('ERROR', `no platform is called ${label} here`);
}

/** Why a job of an export cannot be run here. */
function faultOf({ secrets, labels, offered }: ExportedJob, here: ImportHere): string | undefined {
  const lacking = secrets.filter((name) => !here.secrets.has(name));
  const give = lacking.map((name) => `--secret ${name}=FILE`).join(' ');
  if (lacking.length > 0) return `it needs what no export has: the secret ${lacking.join(', ')}: give it by ${give}`;
  const platforms = labels.flatMap((label) => here.platform(label) ?? []);
  const given = platforms.find((each) => providerOf(each) === 'static');
  if (given !== undefined) return `the nodes of ${given.name} are static machines, which jobs of a gate alone are lent`;
  const unprepared = platforms.flatMap((each) => (isVirtual(each) ? (here.unprepared(each) ?? []) : []));
  if (unprepared[0] !== undefined) return unprepared[0];
  if (offered === null) return 'it was never begun then: nobody knows what it would have been offered';
  return undefined;
}

/** Keys go in any case: nothing else may be signed with them. */
async function removeContent(root: string, keep: boolean): Promise<void> {
  const { storage, repositories, released, git, work, builder, testKeys } = dataPaths(root);
  for (const path of [work, builder, testKeys, git, released, ...(keep ? [] : [storage, repositories])])
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
}
