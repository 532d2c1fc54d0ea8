/** The server that `main.ts` posts to: it says where it listens, and at the end of its input what it did. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import type { Webhook } from '../../activities/review/port.ts';
import { openStore } from '../../infra/store/store.ts';
import { createFastify } from '../../server/fastify.ts';
import { createDoor } from '../../server/ingest/door.ts';
import { startDrain } from '../../server/ingest/drain.ts';
import { registerWebhooks } from '../../server/ingest/webhook.ts';

const [directory = '', secret = ''] = process.argv.slice(2);

const webhook: Webhook = {
  isSigned({ headers, body }) {
    const given = Buffer.from(String(headers['x-hub-signature-256'] ?? ''));
    const right = Buffer.from(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`);
    return given.length === right.length && timingSafeEqual(given, right);
  },
  read: (headers) => {
    const event = { type: 'comment-added', driver: 'github', connection: 'hub', project: 'p', comment: '', time: 0 };
    return {
      kind: 'occurrence',
      occurrence: { id: String(headers['x-github-delivery']), news: [{ kind: 'event', event }] },
    };
  },
};

const store = await openStore(directory);
let handed = 0;
const drain = startDrain({
  ...{ store: store.occurrences, connections: ['hub'], warn: (about, message) => console.error(message, about) },
  async hand() {
    handed += 1;
  },
});
const app = createFastify({} as never);
registerWebhooks(app, {
  webhook: () => webhook,
  take: createDoor(store.occurrences, drain.wake),
  count: () => {},
});
console.log(JSON.stringify({ url: await app.listen({ host: '127.0.0.1', port: 0 }) }));
const before = process.cpuUsage();
process.stdin.resume();
await once(process.stdin, 'end');
const { user, system } = process.cpuUsage(before);
while ((await store.occurrences.backlog()).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
console.log(JSON.stringify({ handed, seconds: (user + system) / 1e6 }));
await drain.stop();
await app.close();
await store.close();
