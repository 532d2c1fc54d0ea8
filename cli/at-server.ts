import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerName, type HandRequest, outputName } from '../pipelines/by-hand/request.ts';
import type { BuildRecord, BuildView, HandBegun } from '../server/api/types.ts';
import type { ApiClient } from './client.ts';
import { failed, unavailable } from './fault.ts';

/** What a server is to do, and what is sent along. */
export interface ServerWork {
  readonly request: HandRequest;
  /** A directory whose content is sent; absent: nothing is. */
  readonly send?: string;
  /** Where what it leaves besides its answer is put; absent: nowhere. */
  readonly out?: string;
}

export interface ServerAnswer<T> {
  /** What the command prints. */
  readonly answer: T;
  readonly build: BuildRecord;
}

/** More than a file system has. */
const boundless = { files: 10_000_000, bytes: Number.MAX_SAFE_INTEGER };

/**
 * Has a server's workers do what a command is asked for: sends what it works on, shows how it goes, and brings what comes
 * out. Ctrl-C ends it there, too.
 *
 * @throws CommandError 1 with the reason where nothing came out, 2 for what the server refuses
 */
export async function workAtServer<T>(client: ApiClient, work: ServerWork): Promise<ServerAnswer<T>> {
  const build = await begin(client, work);
  const interrupt = () => void client.post('/api/cancel', { build }).catch(() => {});
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    await follow(client, build);
    return await fetchAnswer<T>(client, (await look(client, build)).build, work.out);
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

/** @returns the id of the build that it is */
async function begin(client: ApiClient, { request, send }: ServerWork): Promise<string> {
  const { pack } = await import('../activities/nodes/pack.ts');
  const packing = send === undefined ? null : await pack(send, ['--hard-dereference']);
  const query = new URLSearchParams({ request: JSON.stringify(request) });
  const begun = client.upload<HandBegun>(`/api/by-hand?${query}`, packing?.archive ?? null);
  // A refusal says more than that nobody reads the archive any more.
  const [answer, packed] = await Promise.allSettled([begun, packing?.ended]);
  if (answer.status === 'rejected') throw answer.reason;
  if (packed.status === 'rejected') throw packed.reason;
  return answer.value.build;
}

/** Milliseconds between two looks. */
const pause = 300;

/** Prints the build's log until it has ended, each part once. */
async function follow(client: ApiClient, build: string): Promise<void> {
  let printed = 0;
  while ((await look(client, build)).build.endTime === null) {
    let seen = 0;
    try {
      for await (const text of client.stream(`/api/builds/${build}/log?follow=1`)) {
        process.stderr.write(text.slice(Math.max(0, printed - seen)));
        seen += text.length;
        printed = Math.max(printed, seen);
      }
    } catch (error) {
      // An answer that breaks off: a long silence, or a server that is started again.
      if (!(error instanceof TypeError)) throw error;
    }
    await sleep(pause);
  }
}

function look(client: ApiClient, build: string): Promise<BuildView> {
  return client.get<BuildView>(`/api/builds/${build}`);
}

async function fetchAnswer<T>(client: ApiClient, build: BuildRecord, out?: string): Promise<ServerAnswer<T>> {
  const output = build.artifacts.find(({ name }) => name === outputName);
  if (output === undefined) throw reasonOf(build);
  const { unpack } = await import('../activities/nodes/unpack.ts');
  const directory = await mkdtemp(join(tmpdir(), 'sluice-output-'));
  try {
    await unpack(await client.fetch(new URL(output.url).pathname), directory, boundless);
    const answer = await readFile(join(directory, answerName), 'utf8').catch(() => undefined);
    if (answer === undefined) throw reasonOf(build);
    await rm(join(directory, answerName));
    if (out !== undefined) await cp(directory, out, { recursive: true, force: true });
    return { answer: JSON.parse(answer), build };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A worker that gave up is not the fault of what it worked on. */
function reasonOf({ result, summary }: BuildRecord) {
  return result === 'RETRY' ? unavailable(summary) : failed(result === 'FAILURE' ? summary : `${result}: ${summary}`);
}
