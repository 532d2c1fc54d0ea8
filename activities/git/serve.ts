import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gitEnvironment } from './git.ts';

/** A request of a Git client that fetches: what `git http-backend` must know of it. */
export interface GitRequest {
  readonly project: string;
  /** Below the repository. */
  readonly path: 'info/refs' | 'git-upload-pack';
  readonly body: Readable | null;
  readonly headers: { readonly type?: string; readonly encoding?: string; readonly protocol?: string };
}

interface GitAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Buffer>;
}

/** Gives the sources of projects, whoever their host is, to Git clients that fetch. Nothing is ever pushed by it. */
export interface GitService {
  /** Null where there is no such project here. */
  answer(request: GitRequest): Promise<GitAnswer | null>;
}

/** A commit needs not be at any ref to be fetched: speculative states are at none that a client knows. */
const settings = {
  GIT_CONFIG_COUNT: '3',
  GIT_CONFIG_KEY_0: 'uploadpack.allowAnySHA1InWant',
  GIT_CONFIG_VALUE_0: 'true',
  GIT_CONFIG_KEY_1: 'safe.directory',
  GIT_CONFIG_VALUE_1: '*',
  GIT_CONFIG_KEY_2: 'uploadpack.hideRefs',
  GIT_CONFIG_VALUE_2: 'refs/sluice',
  GIT_HTTP_EXPORT_ALL: '1',
};

/** @param at the bare repository of a project. @throws BadName */
export function createGitService(at: (project: string) => string): GitService {
  return {
    async answer({ project, path, body, headers }) {
      const repo = at(project);
      if (!(await stat(repo).catch(() => null))?.isDirectory()) return null;
      const child = spawn('git', ['http-backend'], {
        env: { PATH: process.env.PATH, ...gitEnvironment, ...settings, ...cgi({ repo, path, body, headers }) },
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      const fault = once(child, 'error').then(([error]) => Promise.reject(error));
      fault.catch(() => {});
      // A client that goes away, or an answer that is complete without its end: git sees to it.
      if (body === null) child.stdin.end();
      else void pipeline(body, child.stdin).catch(() => {});
      const answer = await Promise.race([readHead(child.stdout), fault]);
      return { ...answer, body: endingWith(answer.body, () => child.kill()) };
    },
  };
}

function cgi({ repo, path, body, headers }: Omit<GitRequest, 'project'> & { readonly repo: string }) {
  const { type, encoding, protocol } = headers;
  return {
    PATH_TRANSLATED: `${repo}/${path}`,
    REQUEST_METHOD: body === null ? 'GET' : 'POST',
    QUERY_STRING: body === null ? 'service=git-upload-pack' : '',
    ...(type === undefined ? {} : { CONTENT_TYPE: type }),
    ...(encoding === undefined ? {} : { HTTP_CONTENT_ENCODING: encoding }),
    ...(protocol === undefined ? {} : { GIT_PROTOCOL: protocol }),
  };
}

/** The head of a CGI program's answer, and the rest as it comes. */
async function readHead(output: Readable): Promise<GitAnswer> {
  const chunks = output[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let so = Buffer.alloc(0);
  for (;;) {
    const end = so.indexOf('\r\n\r\n');
    if (end >= 0) {
      const lines = so.subarray(0, end).toString('latin1').split('\r\n');
      const headers = Object.fromEntries(lines.map((line) => line.split(/: */, 2) as [string, string]));
      const { Status: status = '200', ...others } = headers;
      return { status: Number.parseInt(status, 10), headers: others, body: rest(so.subarray(end + 4), chunks) };
    }
    const next = await chunks.next();
    if (next.done) throw new Error('git http-backend ended without an answer');
    so = Buffer.concat([so, next.value]);
  }
}

async function* rest(first: Buffer, chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (first.length > 0) yield first;
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
}

async function* endingWith(body: AsyncIterable<Buffer>, end: () => void): AsyncGenerator<Buffer> {
  try {
    yield* body;
  } finally {
    end();
  }
}
