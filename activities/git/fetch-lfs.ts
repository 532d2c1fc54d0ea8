import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { z } from 'zod';
import type { LfsObject } from '../../pipelines/model/lfs.ts';
import { HostAway } from '../outcome.ts';
import { tryGit } from './git.ts';
import type { BringObjects } from './lfs.ts';
import { checkRevision } from './names.ts';
import type { GitRemote } from './remote.ts';
import { SourceFault } from './source-fault.ts';

/** A project whose objects are fetched. */
export interface LfsSite {
  /** The project's repository on this machine. */
  readonly repo: string;
  /** Name of the host, for messages. */
  readonly host: string;
  /** Null where Sluice is the host, which keeps none. */
  readonly remote: GitRemote | null;
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

type Answered = z.infer<typeof answerSchema>['objects'][number];

/** Fetches objects from the host of their project into storage, by the right that Sluice has there. */
export function createBringObjects(siteOf: (project: string) => LfsSite, store: ObjectStore): BringObjects {
  return async ({ project, commit, objects }) => {
    const site = siteOf(project);
    const missing: LfsObject[] = [];
    for (const each of objects) if (!(await store.has(`sha256:${each.oid}`))) missing.push(each);
    if (missing.length === 0) return;
    const bytes = missing.reduce((sum, { size }) => sum + size, 0);
    if (bytes > most) throw new SourceFault(`${bytes} bytes of Git LFS are more than ${most}, and are not fetched`);
    const endpoint = await endpointOf(site, commit);
    for (let from = 0; from < missing.length; from += batch) {
      const some = missing.slice(from, from + batch);
      const answered = await askForBatch(site, endpoint, some);
      for (const object of some) await fetchObject(site, { object, store, answered, endpoint });
    }
  };
}

interface Endpoint {
  readonly url: string;
  /** Logs in there. */
  readonly headers: Readonly<Record<string, string>>;
}

/** @throws SourceFault for a host that is not spoken to by http, and for a `.lfsconfig` that leads to another one */
async function endpointOf({ repo, host, remote }: LfsSite, commit: string): Promise<Endpoint> {
  if (remote === null || !/^https?:/.test(remote.url)) {
    throw new SourceFault(
      `${host} is not reached by https: nothing of Git LFS is fetched from there; commit the files`,
    );
  }
  const usual = `${remote.url.replace(/(\.git)?\/*$/, '.git')}/info/lfs`;
  const asked = ['config', '--no-includes', `--blob=${checkRevision(commit)}:.lfsconfig`, '--get', 'lfs.url'];
  const named = (await tryGit(repo, asked)).stdout.trim();
  const url = named === '' ? usual : named.replace(/\/+$/, '');
  if (!URL.canParse(url) || new URL(url).origin !== new URL(usual).origin) {
    throw new SourceFault(`.lfsconfig leads to another host than ${host}: its lfs.url is not followed`);
  }
  const access = Object.values(await remote.access());
  const login = access.flatMap((line) => /^Authorization: (.+)$/.exec(line)?.[1] ?? [])[0];
  return { url, headers: login === undefined ? {} : { authorization: login } };
}

async function askForBatch({ host }: LfsSite, { url, headers }: Endpoint, objects: readonly LfsObject[]) {
  const body = { operation: 'download', transfers: ['basic'], objects, hash_algo: 'sha256' };
  const answer = await exchange(host, `${url}/objects/batch`, {
    method: 'POST',
    headers: { ...headers, accept: type, 'content-type': type },
    body: JSON.stringify(body),
    redirect: 'error',
  });
  const parsed = answerSchema.safeParse(await answer.json().catch(() => null));
  if (!parsed.success) throw new HostAway(`${host} answers for Git LFS in a form that is not known`);
  return new Map(parsed.data.objects.map((each) => [each.oid, each]));
}

interface Fetching {
  readonly object: LfsObject;
  readonly store: ObjectStore;
  readonly answered: ReadonlyMap<string, Answered>;
  readonly endpoint: Endpoint;
}

async function fetchObject({ host }: LfsSite, { object, store, answered, endpoint }: Fetching): Promise<void> {
  const { oid, size } = object;
  const found = answered.get(oid);
  const download = found?.actions?.download;
  if (download === undefined) {
    const why = found?.error?.message ?? 'it gives no address';
    throw new SourceFault(`${host} has no Git LFS object ${oid}: ${why.replace(/\s+/g, ' ').slice(0, 200)}`);
  }
  if (!/^https?:/.test(download.href)) throw new SourceFault(`${host} gives no web address of the object ${oid}`);
  const own = new URL(download.href).origin === new URL(endpoint.url).origin ? endpoint.headers : {};
  const given = Object.entries(download.header ?? {}).filter(([name]) => !hop.test(name));
  const login = given.some(([name]) => /^authorization$/i.test(name)) ? {} : own;
  const headers = { ...login, ...Object.fromEntries(given) };
  const answer = await exchange(host, download.href, { headers });
  if (answer.body === null) throw new HostAway(`${host} answers nothing for the Git LFS object ${oid}`);
  const content = Readable.fromWeb(answer.body as ReadableStream<Uint8Array>);
  await store.take(content, { digest: `sha256:${oid}`, size }).catch((error: Error) => {
    if (error.name !== 'OtherContent') throw error;
    throw new SourceFault(`${host} gives another content for the Git LFS object ${oid} than its pointer says`);
  });
}

/** @throws HostAway for a host that may answer later; SourceFault for one that declines */
async function exchange(host: string, url: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(patience) }).catch((error: Error) => {
    throw new HostAway(`${host} does not answer for Git LFS`, { cause: error });
  });
  if (answer.ok) return answer;
  await answer.body?.cancel();
  if (answer.status >= 500 || answer.status === 429) throw new HostAway(`${host} answers ${answer.status} for Git LFS`);
  throw new SourceFault(`${host} declines to give objects of Git LFS (${answer.status})`);
}
