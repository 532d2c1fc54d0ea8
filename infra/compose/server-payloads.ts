import { createHash } from 'node:crypto';
import { NoSuchBlob } from '../../activities/storage/no-such-blob.ts';
import { must, type ServerClient } from '../../activities/storage/server/client.ts';
import type { PayloadStore } from '../temporal/payloads.ts';

/** Large payloads of Temporal as a worker on another machine has them: they are the server's. */
export function createServerPayloads(server: ServerClient): PayloadStore {
  const pathOf = (digest: string) => `/api/worker/payloads/${digest.replace('sha256:', '')}`;
  return {
    async put(content, workflow = '') {
      const digest = digestOf(content);
      const query = new URLSearchParams({ size: String(content.length), workflow });
      const body = Uint8Array.from(content);
      const headers = { 'content-type': 'application/octet-stream' };
      const asked = server.ask(`${pathOf(digest)}?${query}`, { method: 'PUT', headers, body: () => ({ body }) });
      await must(asked, () => new Error('the server takes no payload'));
      return { digest, size: content.length };
    },
    async read(digest) {
      const answer = await must(server.ask(pathOf(digest)), () => new NoSuchBlob(digest));
      const content = Buffer.from(await answer.arrayBuffer());
      const is = digestOf(content);
      if (is !== digest) throw new Error(`the server gives ${is} in place of ${digest}`);
      return content;
    },
  };
}

function digestOf(content: Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
