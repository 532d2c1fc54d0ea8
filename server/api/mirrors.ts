import { PassThrough, type Readable } from 'node:stream';
import { z } from 'zod';
import { type MirrorLine, mirrorWish } from '../../pipelines/mirror/wish.ts';
import { demand } from '../../pipelines/policy/access.ts';
import { asks } from '../audit.ts';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import type { MirrorHearing } from '../mirrors.ts';
import { authenticate } from '../token.ts';

const body = z.object({ set: z.string().min(1).max(200).optional().describe('absent: all'), wish: mirrorWish });

/** What people want done on mirrors; the answer is lines of JSON, as long as it takes. */
export function registerMirrors(app: App, deps: ServerDeps): void {
  const { mirrorDesk: desk } = deps;
  if (desk === undefined) return;
  app.post(
    '/api/mirrors',
    { onRequest: authenticate(deps), schema: { summary: 'Send, take back, look at or look after mirrors', body } },
    (request, reply) => {
      const { set, wish } = request.body;
      const actor = asks(request, 'mirror', { action: wish.deed, ...(set === undefined ? {} : { set }) });
      demand(actor, 'mirror', { name: set ?? 'all sets' });
      const chosen = desk.choose(set);
      const gone = new AbortController();
      reply.raw.on('close', () => gone.abort(new Error('whoever asked has gone')));
      const work = ({ log, signal }: MirrorHearing) =>
        Promise.all(chosen.map((each) => desk.act(actor, { set: each, wish }, { log, signal })));
      return reply.type('application/x-ndjson').header('cache-control', 'no-store').send(tell(work, gone.signal));
    },
  );
}

/** Milliseconds after which an answer without news says that it goes on. */
const quiet = 15_000;

function tell(work: (hearing: MirrorHearing) => Promise<readonly unknown[]>, signal: AbortSignal): Readable {
  const out = new PassThrough();
  const say = (line: MirrorLine) => void (out.writable && out.write(`${JSON.stringify(line)}\n`));
  out.write('\n');
  const alive = setInterval(() => out.writable && out.write('\n'), quiet);
  work({ log: (line) => say({ log: line }), signal })
    .then(
      (results) => say({ results }),
      ({ name, message }: Error) => say(name === 'Locked' ? { locked: message } : { error: message }),
    )
    .finally(() => {
      clearInterval(alive);
      out.end();
    });
  return out;
}
