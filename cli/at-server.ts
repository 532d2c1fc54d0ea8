import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerName, type HandRequest, outputName } from '../pipelines/by-hand/request.ts';
import type { BuildRecord, BuildView, HandBegun, HandContent } from '../server/api/types.ts';
import type { ApiClient } from './client.ts';
import { CommandError, exitStatus, failed, unavailable } from './fault.ts';
import { note } from './output.ts';

/** What a server is to do, and what is sent along. */
export interface ServerWork {
  readonly request: HandRequest;
  /** A directory whose content is sent; absent: nothing is. */
  readonly send?: string;
  /** Where what it leaves besides its answer is put; absent: nowhere. */
  readonly out?: string;
  /** Milliseconds for which the server may be away once the work has begun; absent: half a minute. */
  readonly patience?: number;
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
  const wait = patiently(build, work.patience ?? 30_000);
  const interrupt = () => void client.post('/api/cancel', { build }).catch(() => {});
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    await follow(client, { build, wait });
    const { build: ended } = await wait(() => look(client, build));
    return await answerOf<T>(await wait(() => outputOf(client, ended)), ended, work.out);
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

/** @returns the id of the build that it is */
async function begin(client: ApiClient, { request, send }: ServerWork): Promise<string> {
  const content = send === undefined ? null : await upload(client, send);
  return (await client.post<HandBegun>('/api/by-hand', { request, content })).build;
}

/** @returns its digest */
async function upload(client: ApiClient, directory: string): Promise<string> {
  const { pack } = await import('../activities/nodes/pack.ts');
  const { archive, ended } = await pack(directory, ['--hard-dereference']);
  const taken = client.upload<HandContent>('/api/by-hand/content', archive);
  // A refusal says more than that nobody reads the archive any more.
  const [answer, packed] = await Promise.allSettled([taken, ended]);
  if (answer.status === 'rejected') throw answer.reason;
  if (packed.status === 'rejected') throw packed.reason;
  return answer.value.digest;
}

/** Milliseconds between two looks. */
const pause = 300;

type Wait = <T>(ask: () => Promise<T>) => Promise<T>;

/** Asks again while the server is away, for a while: one that is started again goes on with what it had. */
function patiently(build: string, patience: number): Wait {
  return async (ask) => {
    const end = performance.now() + patience;
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (!isAway(error)) throw error;
        if (performance.now() > end)
          throw unavailable(`${error.message}\nWhat was begun goes on there: \`sluice logs ${build}\` tells how`);
        await sleep(pause);
      }
    }
  };
}

/** An answer that breaks off is what `fetch` calls a TypeError. */
function isAway(error: unknown): error is Error {
  return error instanceof TypeError || (error instanceof CommandError && error.status === exitStatus.unavailable);
}

/** Prints the build's log until it has ended, each part once. */
async function follow(
  client: ApiClient,
  { build, wait }: { readonly build: string; readonly wait: Wait },
): Promise<void> {
  let printed = 0;
  const said = new Set<string>();
  while ((await wait(() => look(client, build))).build.endTime === null) {
    let seen = 0;
    const gone = new AbortController();
    const told = printed > 0 ? undefined : tellWaiting({ client, build, said }, gone.signal);
    try {
      for await (const text of client.stream(`/api/builds/${build}/log?follow=1`)) {
        gone.abort();
        process.stderr.write(text.slice(Math.max(0, printed - seen)));
        seen += text.length;
        printed = Math.max(printed, seen);
      }
    } catch (error) {
      // An answer that breaks off: a long silence, or a server that is started again.
      if (!isAway(error)) throw error;
    } finally {
      gone.abort();
      await told;
    }
    await sleep(pause);
  }
}

/** Milliseconds between two looks at what waits, and after how many that find it at work it has all that it waits for. */
const slowly = 2_000;
const settled = 5;

interface Told {
  readonly client: ApiClient;
  readonly build: string;
  /** What has been said already. */
  readonly said: Set<string>;
}

/** Says what the build waits for, each thing once, until it is told to stop. What goes wrong is heard of where the log is read. */
async function tellWaiting({ client, build, said }: Told, signal: AbortSignal): Promise<void> {
  let atWork = 0;
  while (!signal.aborted && atWork < settled) {
    const found = await look(client, build).catch(() => undefined);
    const { waiting, summary } = found?.build ?? {};
    atWork = waiting ? 0 : atWork + 1;
    if (waiting && summary !== undefined && !said.has(summary) && !signal.aborted) {
      note(summary);
      said.add(summary);
    }
    await sleep(slowly, undefined, { signal }).catch(() => undefined);
  }
}

function look(client: ApiClient, build: string): Promise<BuildView> {
  return client.get<BuildView>(`/api/builds/${build}`);
}

/** @returns the archive of what came out; undefined where there is none */
async function outputOf(client: ApiClient, { artifacts }: BuildRecord): Promise<Readable | undefined> {
  const output = artifacts.find(({ name }) => name === outputName);
  return output === undefined ? undefined : client.fetch(new URL(output.url).pathname);
}

async function answerOf<T>(output: Readable | undefined, build: BuildRecord, out?: string): Promise<ServerAnswer<T>> {
  if (output === undefined) throw reasonOf(build);
  const { unpack } = await import('../activities/nodes/unpack.ts');
  const directory = await mkdtemp(join(tmpdir(), 'sluice-output-'));
  try {
    await unpack(output, directory, boundless);
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
