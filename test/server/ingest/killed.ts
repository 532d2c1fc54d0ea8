/** A server that takes webhooks, and stops handing on at the fourth one, for ever: `killed.test.ts` kills it. */
import { appendFileSync } from 'node:fs';
import { openStore } from '../../../infra/store/store.ts';
import { createFastify } from '../../../server/fastify.ts';
import { registerWebhooks } from '../../../server/ingest/webhook.ts';
import { open, webhook } from './world.ts';

const [directory = '', done = ''] = process.argv.slice(2);
const store = (await openStore(directory)).occurrences;
let handed = 0;
const { take } = open({
  ...{ store, connections: ['hub'] },
  async hand(_connection, { id }) {
    handed += 1;
    if (handed > 3) await new Promise(() => {});
    appendFileSync(done, `${id}\n`);
  },
});
const app = createFastify({} as never);
registerWebhooks(app, { webhook: () => webhook, take, count: () => {} });
console.log(await app.listen({ host: '127.0.0.1', port: 0 }));
