import { createReadStream } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { z } from 'zod';
import type { LfsPointer } from '../../pipelines/model/lfs.ts';
import { HostAway } from '../outcome.ts';
import { readBody } from '../read-body.ts';
import { saysLater } from './fetch.ts';
import type { BringObjects, WantedObjects } from './lfs.ts';
import { type Endpoint, endpointOf, type Place } from './lfs-endpoint.ts';
import { show } from './names.ts';
import type { GitRemote } from './remote.ts';
import { SourceFault } from './source-fault.ts';

/** A project or submodule whose objects are fetched. */
export interface LfsSite {
  /** The repository on this machine that has the commit. */
  readonly repo: string;
  /** The commit that its files are of, where it is a submodule. */
  readonly commit?: string;
  /** Name of the host, for messages. */
  readonly host: string;
  /** Where its objects are fetched; or, where Sluice is the host, the repository that they were pushed to. */
  readonly from: GitRemote | string;
}

/** Where objects are kept, by their digests. */
export interface ObjectStore {
  has(digest: string): Promise<boolean>;
  /** @throws an error called `OtherContent` where the content is not what it is said to be */
  take(stream: Readable, ref: { readonly digest: string; readonly size: number }): Promise<void>;
}

/** Bytes of all objects that one commit may have fetched; and how many are asked for at once. */
const most = 16 * 1024 ** 3;
const batch = 100;
/** Milliseconds for one answer with what it carries. */
const patience = 9 * 60_000;

/** Bytes of an answer that declines: others are pages. */
const longestRefusal = 64 * 1024;

const type = 'application/vnd.git-lfs+json';

/** Headers of a connection, which are the client's own to give: Gitea names one. */
const hop = /^(transfer-encoding|content-length|connection|host)$/i;

/** What a server answers to a batch (https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md). */
const answerSchema = z.object({
  transfer: z.literal('basic').optional(),
  objects: z.array(
    z.object({
      oid: z.string(),
      actions: z
        .object({ download: z.object({ href: z.string(), header: z.record(z.string(), z.string()).nullish() }) })
        .optional(),
      error: z.object({ code: z.number(), message: z.string() }).nullish(),
    }),
  ),
});

const refusalSchema = z.object({ message: z.string() });

type Answered = z.infer<typeof answerSchema>['objects'][number];

/** Fetches objects from the host of their project into storage, by the right that Sluice has there. */
export function createBringObjects(
  siteOf: (wanted: Omit<WantedObjects, 'objects'>) => LfsSite | Promise<LfsSite>,
  store: ObjectStore,
): BringObjects {
  return async ({ objects, ...wanted }) => {
    const missing: LfsPointer[] = [];
    // Files of one content share an object.
    const known = new Set<string>();
    for (const each of objects) {
      if (!known.has(each.oid) && !(await store.has(`sha256:${each.oid}`))) missing.push(each);
      known.add(each.oid);
    }
    const [first] = missing;
    if (first === undefined) return;
    const bytes = missing.reduce((sum, { size }) => sum + size, 0);
    if (bytes > most) throw new SourceFault(`${bytes} bytes of Git LFS are more than ${most}, and are not fetched`);
    const site = await siteOf(wanted);
    if (typeof site.from === 'string') return takePushed(site.from, missing, store);
    const place = { commit: wanted.commit, ...site, from: site.from };
    for (let from = 0; from < missing.length; from += batch) {
      await fetchBatch(place, missing.slice(from, from + batch), store);
    }
  };
}

/** What an address is declined with that does not hold any more: S3 says 403, Google 400. */
const past = new Set([400, 401, 403]);

/** What declines a right that could be given, and what does not. */
const rights = new Set([401, 403]);
const costs = /quota|budget|billing/i;

/** An address holds for some minutes, which the objects before it may have taken: it is asked for anew, once. */
async function fetchBatch(place: Place, some: readonly LfsPointer[], store: ObjectStore): Promise<void> {
  const { host } = place;
  const isPast = (refusal: Refusal | null) =>
    refusal !== null && past.has(refusal.status) && !costs.test(refusal.words);
  let asked = await askFor(place, some);
  for (const [position, object] of some.entries()) {
    let refusal = await fetchObject(host, { object, store, ...asked });
    if (isPast(refusal)) {
      asked = await askFor(place, some.slice(position));
      refusal = await fetchObject(host, { object, store, ...asked });
      const where = `of ${fileOf(object)} is declined where ${host} says that it is`;
      if (refusal !== null && isPast(refusal)) throw new HostAway(`Git LFS: the content ${where} (${refusal.status})`);
    }
    if (refusal !== null) throw declined(host, refusal);
  }
}

/** Logs in anew: what ssh gives for it holds for some minutes, too. */
async function askFor(place: Place, pointers: readonly LfsPointer[]): Promise<Asked> {
  const [first] = pointers;
  const endpoint = await endpointOf(place, first === undefined ? '' : fileOf(first));
  return { endpoint, answered: await askForBatch(place, endpoint, pointers) };
}

async function askForBatch({ host }: Place, { url, headers }: Endpoint, pointers: readonly LfsPointer[]) {
  const objects = pointers.map(({ oid, size }) => ({ oid, size }));
  const body = { operation: 'download', transfers: ['basic'], objects, hash_algo: 'sha256' };
  const answer = await exchange(host, `${url}/objects/batch`, {
    method: 'POST',
    headers: { ...headers, accept: type, 'content-type': type },
    body: JSON.stringify(body),
    redirect: 'error',
  });
  if (!(answer instanceof Response)) {
    const isRight = rights.has(answer.status) && !costs.test(answer.words);
    throw declined(host, answer, isRight ? ": give Sluice's account there the right to read them" : '');
  }
  const parsed = answerSchema.safeParse(await answer.json().catch(() => null));
  if (!parsed.success) throw new HostAway(`${host} answers for Git LFS in a form that is not known`);
  return new Map(parsed.data.objects.map((each) => [each.oid, each]));
}

/** Where objects were asked for, and what was answered. */
interface Asked {
  readonly answered: ReadonlyMap<string, Answered>;
  readonly endpoint: Endpoint;
}

interface Fetching extends Asked {
  readonly object: LfsPointer;
  readonly store: ObjectStore;
}

/** @returns what declines to give it; null where it is there now */
async function fetchObject(host: string, { object, store, answered, endpoint }: Fetching): Promise<Refusal | null> {
  const { oid, size } = object;
  const named = `Git LFS object ${oid} of ${fileOf(object)}`;
  const found = answered.get(oid);
  const download = found?.actions?.download;
  if (download === undefined) {
    const why = found?.error?.message ?? 'it gives no address';
    throw new SourceFault(`${host} has no ${named}: ${why.replace(/\s+/g, ' ').slice(0, 200)}`);
  }
  if (!/^https?:/.test(download.href)) throw new SourceFault(`${host} gives no web address of the ${named}`);
  const own = new URL(download.href).origin === new URL(endpoint.url).origin ? endpoint.headers : {};
  const given = Object.entries(download.header ?? {}).filter(([name]) => !hop.test(name));
  const login = given.some(([name]) => /^authorization$/i.test(name)) ? {} : own;
  const headers = { ...login, ...Object.fromEntries(given) };
  const answer = await exchange(host, download.href, { headers });
  if (!(answer instanceof Response)) return answer;
  if (answer.body === null) throw new HostAway(`${host} answers nothing for the ${named}`);
  const content = Readable.fromWeb(answer.body as ReadableStream<Uint8Array>);
  await store.take(content, { digest: `sha256:${oid}`, size }).catch((error: Error) => {
    if (error.name !== 'OtherContent') throw error;
    throw new SourceFault(`${host} gives another content for the ${named} than its pointer says`);
  });
  return null;
}

/**
 * Takes objects that were pushed to a repository of Sluice's own, where git-lfs puts what it pushes to a path, and its
 * server's side of ssh, `git-lfs-transfer`, what it is sent.
 *
 * @throws SourceFault for one that was not pushed
 */
async function takePushed(repo: string, objects: readonly LfsPointer[], store: ObjectStore): Promise<void> {
  for (const object of objects) {
    const { oid, size } = object;
    const file = join(repo, 'lfs', 'objects', oid.slice(0, 2), oid.slice(2, 4), oid);
    const found = await lstat(file).catch(() => null);
    if (!found?.isFile()) {
      throw new SourceFault(`${fileOf(object)} is kept by Git LFS and was not pushed: \`git lfs push --all origin\``);
    }
    await store.take(createReadStream(file), { digest: `sha256:${oid}`, size }).catch((error: Error) => {
      if (error.name !== 'OtherContent') throw error;
      throw new SourceFault(`what was pushed of ${fileOf(object)} by Git LFS is not what its pointer says`);
    });
  }
}

function fileOf({ path }: LfsPointer): string {
  return show(Buffer.from(path, 'latin1').toString());
}

/** That a host declines, and in which words; empty where it does not say. */
interface Refusal {
  readonly status: number;
  readonly words: string;
}

function declined(host: string, { status, words }: Refusal, advice = ''): SourceFault {
  const said = words === '' ? '' : `: ${words}`;
  return new SourceFault(`${host} declines to give objects of Git LFS (${status})${said}${advice}`);
}

/** @throws HostAway for a host that may answer later */
async function exchange(host: string, url: string, init: RequestInit): Promise<Response | Refusal> {
  const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(patience) }).catch((error: Error) => {
    throw new HostAway(`${host} does not answer for Git LFS`, { cause: error });
  });
  if (answer.ok) return answer;
  const words = await wordsOf(answer);
  const passes = answer.status >= 500 || answer.status === 429 || (answer.status === 403 && saysLater(words));
  if (!passes) return { status: answer.status, words };
  throw new HostAway(`${host} answers ${answer.status} for Git LFS${words === '' ? '' : `: ${words}`}`);
}

/** Why a host declines, as its protocol has it, on one line; empty where it does not say. */
async function wordsOf(answer: Response): Promise<string> {
  // Others are pages, or break off.
  const content = await readBody(answer, longestRefusal)
    .then(JSON.parse)
    .catch(() => null);
  const said = refusalSchema.safeParse(content);
  return said.success
    ? said.data.message
        .replace(/[\s\p{Cc}]+/gu, ' ')
        .trim()
        .slice(0, 200)
    : '';
}
