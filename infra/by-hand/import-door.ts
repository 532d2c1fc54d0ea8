import { makeOpenDirectory } from '../../activities/files/modes.ts';
import type { ServerDeps } from '../../server/deps.ts';
import { createFastify } from '../../server/fastify.ts';
import { registerRepositories } from '../../server/files/repositories.ts';
import { containerUrl, listen } from '../common/listen.ts';
import { dataPaths } from '../stack/paths.ts';
import { freePort } from '../stack/ports.ts';

/** Where containers read repositories while an import runs. */
export interface Door {
  readonly url: () => Promise<string>;
  /** Shows what is there; answers with the way to end it. */
  open(released: ServerDeps['released']): Promise<() => Promise<void>>;
}

const host = '127.0.0.1';

/** @param root of the import: what is below it at `repositories/` and `released/` is shown */
export async function createDoor(root: string): Promise<Door> {
  const port = await freePort(host);
  const server = { listen: { host, port } };
  const { repositories, released: shown } = dataPaths(root);
  return {
    url: () => containerUrl({ server }),
    async open(released) {
      for (const path of [repositories, shown]) await makeOpenDirectory(path);
      const app = createFastify({});
      await registerRepositories(app, { paths: { repositories, released: shown }, released });
      return listen(app, { server });
    },
  };
}
