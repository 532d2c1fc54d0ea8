import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { openNewFile } from '../activities/files/new-file.ts';
import type { BlobStore } from '../activities/ports.ts';
import { type HandRequest, type HandWork, handJob, handPipeline } from '../pipelines/by-hand/request.ts';
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

/** What was sent for one. */
export interface HandContent {
  readonly digest: string;
}

/** Runs single stages for people, on the workers of all jobs. */
export interface ByHand {
  /**
   * Stores what a stage is to work on.
   *
   * @param content a tar archive
   * @throws an error with the status 413 for more than is taken
   */
  take(actor: Actor, content: Readable): Promise<HandContent>;
  /**
   * @throws `BadName` for a platform that is not there, or whose nodes are no containers, and for content that is not;
   *   an error with the status 503 where no worker begins it
   */
  begin(actor: Actor, work: HandWork): Promise<HandBegun>;
}

export interface ByHandDeps {
  readonly client: Client;
  readonly tenant: string;
  readonly platforms: readonly Platform[];
  readonly blobs: Pick<BlobStore, 'has' | 'put'>;
  readonly store: Pick<Records, 'listBuilds'>;
  /** Directory of work: what is on its way is in one below it, of this server alone. */
  readonly workRoot: string;
  /** Bytes that are taken; absent: 16 GiB. */
  readonly limit?: number;
  /** Milliseconds in which a worker must begin; absent: half a minute. */
  readonly patience?: number;
}

class BadName extends Error {
  override readonly name = 'BadName';
}

class TooMuch extends Error {
  override readonly name = 'TooMuch';
  readonly statusCode = 413;
}

class NotBegun extends Error {
  override readonly name = 'NotBegun';
  readonly statusCode = 503;
}

export function createByHand(deps: ByHandDeps): ByHand {
  const directory = join(deps.workRoot, 'by-hand');
  let cleared: Promise<void> | undefined;
  return {
    async take(actor, content) {
      demand(actor, 'by-hand', { name: 'content' });
      // What a server that was killed has left.
      cleared ??= rm(directory, { recursive: true, force: true });
      await cleared;
      return { digest: await keep({ ...deps, directory }, content) };
    },
    async begin(actor, { request, content }) {
      demand(actor, 'by-hand', { name: request.kind });
      const platform = platformFor(deps.platforms, request);
      if (content !== null && !(await deps.blobs.has(content))) throw new BadName(`there is no content ${content}`);
      const id = randomBytes(6).toString('hex');
      const input = jobOf(id, { tenant: deps.tenant, job: handJob(id, { request, content }, platform) });
      const workflow = await start(deps.client, input, actor.name);
      return { build: await recorded(deps, { buildSet: id, workflow }) };
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

interface Keeping extends Pick<ByHandDeps, 'blobs' | 'limit'> {
  readonly directory: string;
}

/** @returns the digest of what came */
async function keep({ blobs, limit = 16 * 1024 ** 3, directory }: Keeping, content: Readable): Promise<string> {
  await mkdir(directory, { recursive: true });
  const path = join(directory, randomBytes(6).toString('hex'));
  const file = await openNewFile(path);
  try {
    // Whoever sends more is still told so: the connection stays.
    const parts = content.iterator({ destroyOnReturn: false });
    await pipeline(parts, atMost(limit), file);
    return (await blobs.put({ path })).digest;
  } finally {
    await rm(path, { force: true });
  }
}

function atMost(limit: number) {
  return async function* (parts: AsyncIterable<Buffer>) {
    let left = limit;
    for await (const part of parts) {
      left -= part.length;
      if (left < 0) throw new TooMuch(`what is sent has more than ${limit} bytes: give --embedded`);
      yield part;
    }
  };
}

/** A job wants to know of which commit it is: this one is of none. */
function jobOf(id: string, { tenant, job }: Pick<JobInput, 'tenant' | 'job'>): JobInput {
  const source = { project: handPipeline, branch: '', commit: '0'.repeat(40), tree: '0'.repeat(40) };
  const none = { sources: [], parents: [], provided: [] };
  return { tenant, pipeline: handPipeline, buildSet: id, change: id, patchset: 1, job, attempt: 1, source, ...none };
}

/** @returns the workflow's id */
async function start(client: Client, input: JobInput, by: string): Promise<string> {
  const { tenant, pipeline, change, patchset, buildSet, job, source } = input;
  const of = { tenant, pipeline, project: source.project, change, patchset, key: buildSet };
  const workflowId = jobId({ ...of, job: job.name, attempt: 1 });
  await client.workflow.start('job', {
    workflowId,
    taskQueue: taskQueues.control,
    args: [input],
    staticSummary: `${job.name}, for ${by}`,
    typedSearchAttributes: attributes({ tenant, pipeline, project: source.project, job: job.name }),
  });
  return workflowId;
}

/** Milliseconds between two looks. */
const pause = 50;

interface Started {
  readonly buildSet: string;
  readonly workflow: string;
}

/** The build is recorded as soon as its workflow begins, which takes as long as Temporal does. */
async function recorded(
  { store, client, patience = 30_000 }: Pick<ByHandDeps, 'store' | 'client' | 'patience'>,
  { buildSet, workflow }: Started,
): Promise<string> {
  const end = performance.now() + patience;
  for (;;) {
    const [found] = await store.listBuilds({ pipeline: handPipeline, buildSet, limit: 1 });
    if (found !== undefined) return found.id;
    if (performance.now() > end) break;
    await sleep(pause);
  }
  // Whoever is told so asks again: it would be done twice.
  await client.workflow.getHandle(workflow).cancel();
  throw new NotBegun(`no worker of the queue ${taskQueues.control} has begun it in ${patience / 1000} s`);
}
