import type { GenerationName, ReleasedTrees } from '../port.ts';
import { must, type ServerClient } from './client.ts';
import { openAt, writeAnswer } from './download.ts';

export interface ServerReleasedOptions {
  readonly server: ServerClient;
  /** Where containers find the released repositories, without a slash at the end. */
  readonly baseUrl: string;
}

/** The released repositories as the server shows them. */
export function createServerReleasedStore({ server, baseUrl }: ServerReleasedOptions): ReleasedTrees {
  const ask = (repository: string, generation = '') =>
    server.ask(
      `/api/worker/released/${[repository, generation]
        .filter((part) => part !== '')
        .map(encodeURIComponent)
        .join('/')}`,
    );
  const list = async (of: GenerationName): Promise<readonly string[]> => {
    const answer = await ask(of.repository, of.generation);
    return answer === null ? [] : ((await answer.json()) as readonly string[]);
  };
  return {
    async current(repository) {
      const answer = await must(ask(repository), () => new Error(`not the name of a repository: ${repository}`));
      return ((await answer.json()) as { readonly generation: string | null }).generation;
    },
    has: async (of) => (await ask(of.repository, of.generation)) !== null,
    list,
    open: (of, path) => openAt(server, fileOf(of, path)),
    async fetch(of, path, to) {
      const absence = () => new Error(`${path} is no file of the generation ${of.generation} of ${of.repository}`);
      await writeAnswer(await must(server.ask(fileOf(of, path)), absence), to);
    },
    url: async (repository, generation) =>
      generation === undefined ? `${baseUrl}/${repository}` : `${baseUrl}/generations/${repository}/${generation}`,
  };
}

function fileOf({ repository, generation }: GenerationName, path: string): string {
  const parts = [repository, generation, ...path.split('/')];
  return `/released/generations/${parts.map(encodeURIComponent).join('/')}`;
}

/** The key that must have signed them; undefined while there is none. */
export async function askForArchiveKey(server: ServerClient): Promise<string | undefined> {
  return (await server.ask('/api/worker/archive-key'))?.text();
}
