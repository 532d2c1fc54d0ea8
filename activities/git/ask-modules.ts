import { z } from 'zod';
import { HostAway } from '../outcome.ts';
import type { BringModules } from './modules.ts';
import { SourceFault } from './source-fault.ts';

/** What is answered to a worker that asks. */
const answered = z.object({
  modules: z.array(z.object({ path: z.string(), commit: z.string(), source: z.string() })),
});

export interface AskModulesDeps {
  /** The server's address, without a slash at the end. */
  readonly url: string;
  /** The worker's token, read at every question. */
  readonly token: () => Promise<string>;
}

/** Milliseconds that one question may take; one that is asked again joins the fetch that is under way. */
const patience = 4 * 60_000;
const questions = 4;

/** Asks the server, which alone has rights at the hosts, to bring submodules into its repository of a project. */
export function createAskModules({ url, token }: AskModulesDeps): BringModules {
  const ask = async (project: string, commit: string, until: AbortSignal) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${await token()}` };
    const init = { method: 'POST', headers, body: JSON.stringify({ project, commit }), signal: until };
    const answer = await fetch(`${url}/api/submodules`, init);
    if (answer.ok) return answered.parse(await answer.json()).modules;
    const { error } = (await answer.json().catch(() => ({}))) as { readonly error?: string };
    const said = error ?? `it answers ${answer.status}`;
    if (answer.status === 409) throw new SourceFault(said);
    throw new HostAway(`the server brings no submodules of ${project}: ${said}`);
  };
  return async (project, commit, signal) => {
    for (let n = 1; ; n += 1) {
      const late = AbortSignal.timeout(patience);
      try {
        return await ask(project, commit, signal === undefined ? late : AbortSignal.any([signal, late]));
      } catch (error) {
        if (!late.aborted || signal?.aborted || n === questions) throw error;
      }
    }
  };
}
