import { z } from 'zod';
import { HostAway } from '../outcome.ts';
import type { BringObjects } from './lfs.ts';
import type { BringModules } from './modules.ts';
import { SourceFault } from './source-fault.ts';

/** What is answered to a worker that asks for submodules. */
const modulesAnswer = z.object({
  modules: z.array(z.object({ path: z.string(), commit: z.string(), source: z.string() })),
});

export interface AskSourcesDeps {
  /** The server's address, without a slash at the end. */
  readonly url: string;
  /** The worker's token, read at every question. */
  readonly token: () => Promise<string>;
}

/** Milliseconds that one question may take; one that is asked again finds what came meanwhile. */
const patience = 4 * 60_000;
const questions = 4;

/** Asks the server, which alone has rights at the hosts, to bring submodules into its repository of a project. */
export function createAskModules(deps: AskSourcesDeps): BringModules {
  return async (project, commit, signal) => {
    const answer = await ask(deps, { path: '/api/submodules', body: { project, commit }, signal });
    return modulesAnswer.parse(answer).modules;
  };
}

/** Asks it to bring objects of Git LFS into its storage. */
export function createAskObjects(deps: AskSourcesDeps): BringObjects {
  return async (body, signal) => void (await ask(deps, { path: '/api/lfs', body, signal }));
}

interface SourceQuestion {
  readonly path: string;
  readonly body: unknown;
  readonly signal: AbortSignal | undefined;
}

async function ask(deps: AskSourcesDeps, question: SourceQuestion): Promise<unknown> {
  for (let n = 1; ; n += 1) {
    const late = AbortSignal.timeout(patience);
    const { signal } = question;
    try {
      return await askOnce(deps, {
        ...question,
        signal: signal === undefined ? late : AbortSignal.any([signal, late]),
      });
    } catch (error) {
      if (!late.aborted || signal?.aborted || n === questions) throw error;
    }
  }
}

async function askOnce({ url, token }: AskSourcesDeps, { path, body, signal }: SourceQuestion): Promise<unknown> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${await token()}` };
  const init = { method: 'POST', headers, body: JSON.stringify(body), signal: signal ?? null };
  const answer = await fetch(`${url}${path}`, init);
  if (answer.ok) return answer.json();
  const { error } = (await answer.json().catch(() => ({}))) as { readonly error?: string };
  const said = error ?? `it answers ${answer.status}`;
  if (answer.status === 409) throw new SourceFault(said);
  throw new HostAway(`the server brings no sources: ${said}`);
}
