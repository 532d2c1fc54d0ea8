import { PassThrough, type Readable } from 'node:stream';
import { z } from 'zod';
import { cameOf, setsDone } from '../../pipelines/mirror/outcome.ts';
import { isLook, type MirrorLine, mirrorWish } from '../../pipelines/mirror/wish.ts';
import { demand } from '../../pipelines/policy/access.ts';
import { asks, keepAtEnd } from '../audit.ts';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import { actorOf, authenticate } from '../token.ts';

const body = z.object({ set: z.string().min(1).max(200).optional().describe('absent: all'), wish: mirrorWish });

/** What people want done on mirrors; the answer is lines of JSON, as long as it takes. */
export function registerMirrors(app: App, deps: ServerDeps): void {
  const { mirrorDesk: desk } = deps;
  if (desk === undefined) return;
  const keeping = keepAtEnd(app, deps);
  app.post(
    '/api/mirrors',
    { onRequest: authenticate(deps), schema: { summary: 'Send, take back, look at or look after mirrors', body } },
    (request, reply) => {
      const { set, wish } = request.body;
      const about = { action: wish.deed, ...(set === undefined ? {} : { set }) };
      const actor = isLook(wish) ? actorOf(request) : asks(request, 'mirror', about);
      demand(actor, 'mirror', { name: set ?? 'all sets' });
      const chosen = desk.choose(set);
      const keep = keeping(request);
      const work = async (log: (line: string) => void) => {
        const ends = chosen.map((each) => desk.act(actor, { set: each, wish }, log));
        const done = setsDone(chosen, await Promise.allSettled(ends));
        await keep(cameOf(done));
        return done;
      };
      return reply.type('application/x-ndjson').header('cache-control', 'no-store').send(tell(work));
    },
  );
}

/** Milliseconds after which an answer without news says that it goes on. */
const quiet = 15_000;

function tell(work: (log: (line: string) => void) => Promise<MirrorLine>): Readable {
  const out = new PassThrough();
  const say = (line: MirrorLine) => void (out.writable && out.write(`${JSON.stringify(line)}\n`));
  out.write('\n');
  const alive = setInterval(() => out.writable && out.write('\n'), quiet);
  work((line) => say({ log: line }))
    .then(say, ({ message }: Error) => say({ error: message }))
    .finally(() => {
      clearInterval(alive);
      out.end();
    });
  return out;
}
