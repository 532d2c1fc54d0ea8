import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { BlobStore } from '../activities/ports.ts';
import { type HandRequest, handJob, handPipeline } from '../pipelines/by-hand/request.ts';
import type { Actor } from '../pipelines/model/actor.ts';
import { containerPlatform, type Platform } from '../pipelines/model/platform.ts';
import { demand } from '../pipelines/policy/access.ts';
import { type JobInput, taskQueues } from '../workflows/contract.ts';
import { jobId } from '../workflows/ids.ts';
import { attributes } from '../workflows/search-attributes.ts';
import type { Records } from './port.ts';

/** What has begun. */
export interface HandBegun {
  /** Its build's id: log, end and artifacts are found by it. */
  readonly build: string;
}

/** Runs single stages for people, on the workers of all jobs. */
export interface ByHand {
  /**
   * @param content a tar archive of what it works on
   * @throws `BadName` for a platform that is not there, or whose nodes are no containers
   */
  begin(actor: Actor, request: HandRequest, content: Readable): Promise<HandBegun>;
}

export interface ByHandDeps {
  readonly client: Client;
  readonly tenant: string;
  readonly platforms: readonly Platform[];
  readonly blobs: Pick<BlobStore, 'put'>;
  readonly store: Pick<Records, 'listBuilds'>;
  /** Directory for what is on its way; made when absent. */
  readonly workRoot: string;
}

class BadName extends Error {
  override readonly name = 'BadName';
}

export function createByHand(deps: ByHandDeps): ByHand {
  return {
    async begin(actor, request, content) {
      demand(actor, 'by-hand', { name: request.kind });
      const platform = platformFor(deps.platforms, request);
      const kept = await keep(deps, content);
      const id = randomBytes(6).toString('hex');
      const input = jobOf(id, { tenant: deps.tenant, job: handJob(id, { request, content: kept }, platform) });
      await start(deps.client, input, actor.name);
      return { build: await recorded(deps.store, id) };
    },
  };
}

/** The node's label; none for an import, whose jobs have nodes of their own. */
function platformFor(all: readonly Platform[], request: HandRequest): string | undefined {
  if (request.kind === 'import') return undefined;
  const { platform = all.find((one) => request.kind === 'lint' && one.format === request.format)?.name ?? '' } =
    request;
  const found = containerPlatform(all, platform);
  if (typeof found === 'string') throw new BadName(found);
  if (request.kind === 'lint' && found.format !== request.format)
    throw new BadName(`${found.name} does not check ${request.format} packages`);
  return found.name;
}

/** @returns the digest of what came; null where that is nothing */
async function keep({ blobs, workRoot }: ByHandDeps, content: Readable): Promise<string | null> {
  await mkdir(workRoot, { recursive: true });
  const directory = await mkdtemp(join(workRoot, 'by-hand-'));
  const path = join(directory, 'content');
  try {
    await pipeline(content, createWriteStream(path, { flags: 'wx' }));
    return (await stat(path)).size === 0 ? null : (await blobs.put({ path })).digest;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A job wants to know of which commit it is: this one is of none. */
function jobOf(id: string, { tenant, job }: Pick<JobInput, 'tenant' | 'job'>): JobInput {
  const source = { project: handPipeline, branch: '', commit: '0'.repeat(40), tree: '0'.repeat(40) };
  const none = { sources: [], parents: [], provided: [] };
  return { tenant, pipeline: handPipeline, buildSet: id, change: id, patchset: 1, job, attempt: 1, source, ...none };
}

async function start(client: Client, input: JobInput, by: string): Promise<void> {
  const { tenant, pipeline, change, patchset, buildSet, job, source } = input;
  const of = { tenant, pipeline, project: source.project, change, patchset, key: buildSet };
  await client.workflow.start('job', {
    workflowId: jobId({ ...of, job: job.name, attempt: 1 }),
    taskQueue: taskQueues.control,
    args: [input],
    staticSummary: `${job.name}, for ${by}`,
    typedSearchAttributes: attributes({ tenant, pipeline, project: source.project, job: job.name }),
  });
}

/** Milliseconds between two looks. */
const pause = 50;

/** The build is recorded as soon as its workflow begins, which takes as long as Temporal does. */
async function recorded(store: ByHandDeps['store'], buildSet: string): Promise<string> {
  for (;;) {
    const [found] = await store.listBuilds({ pipeline: handPipeline, buildSet, limit: 1 });
    if (found !== undefined) return found.id;
    await sleep(pause);
  }
}
